"""Limits on sign-in attempts: concurrent password checks, and failed attempts for an account and an address."""

import hmac
import math
import time
from collections.abc import Callable
from contextlib import suppress

from flask import Flask, Response, current_app, g, make_response, render_template, request, session
from flask_limiter import Limiter, RateLimitExceeded, RequestLimit
from flask_security import current_user
from limits.errors import ConfigurationError, StorageError

from glific_gpt.accounts import addresses, people
from glific_gpt.accounts.sign_in import known_browsers, records
from glific_gpt.accounts.sign_in.client_address import client_network
from glific_gpt.accounts.sign_in.views import CREDENTIAL_ENDPOINTS, NAME
from glific_gpt.accounts.tables import User
from glific_gpt.database import transaction
from glific_gpt.errors import SettingsError
from glific_gpt.runtime.event_loop import blocking
from glific_gpt.runtime.fair_semaphore import FairSemaphore
from glific_gpt.runtime.rate_limit_storage import storage_options
from glific_gpt.settings import MSG_RATE_LIMIT_STORAGE, Settings
from glific_gpt.vault import derive_key

SLOT_TIMEOUT_SECONDS = 2.0
"""How long an attempt waits for a slot before it is refused."""
RETRY_AFTER_SECONDS = 60

ACCOUNT_FROM_ADDRESS_LIMIT = "5 per minute; 30 per hour"
ADDRESS_LIMIT = "30 per minute; 200 per hour"
VERIFIED_PERSON_LIMIT = "20 per minute"
"""For a verified person. Successful attempts count too, because each one takes the slot."""
ACCOUNT_LIMIT = "100 per hour"
"""For all browsers together in which the person has never signed in."""
FORGOTTEN_PASSWORD_LIMIT = "5 per hour"  # noqa: S105 - a limit
KEY = "SECURITY_LIMITS_KEY"
LOGIN, FORGOT_PASSWORD = f"{NAME}.login", f"{NAME}.forgot_password"
SUCCESS_STATUS = 302  # Flask-Security redirects after a success, and shows the form again after a failure

Limit = tuple[str, str, Callable[[], str], Callable[[], bool]]
"""A limit, its name, what it counts, and the requests that it does not count."""

# Each process checks two passwords or codes at the same time. Hashing takes a core and 46 MiB, and webhooks need both
# too. Verified persons have a slot of their own. Attempts from many networks would otherwise keep everyone from
# signing in. A verified person has entered the right password in this browser, now or earlier.
verified_slot = FairSemaphore(1, max_waiting=12, max_waiting_of_group=6)
other_slot = FairSemaphore(1, max_waiting=12, max_waiting_of_group=8)
"""Few attempts wait, because each one takes one of the 32 threads of pages. Others wait as a group of their network,
which people in a training share. Verified persons wait as a group of their organization, so that they cannot use all
waiting positions.
"""


def init(app: Flask, settings: Settings) -> None:
    """Raises SettingsError if the storage of the limits cannot be used."""
    app.config[KEY] = derive_key(settings.secret_key, "accounts:limits")
    known_browsers.init(app, settings)
    limiter = _create_limiter(settings)
    app.before_request_funcs.setdefault(NAME, []).extend(
        # An attempt beyond the limit of the person takes no slot.
        (_create_counter(limiter, "verified", VERIFIED_LIMITS), acquire_slot, _create_counter(limiter, "all", LIMITS))
    )
    app.after_request_funcs.setdefault(NAME, []).append(lambda response: _uncount_success(limiter, response))
    # In a teardown function, because Flask skips after_request functions when a view raises an unhandled exception.
    app.teardown_request_funcs.setdefault(NAME, []).append(release_slot)
    app.register_error_handler(RateLimitExceeded, lambda breach: breach.get_response())


@blocking
def acquire_slot() -> Response | None:
    """Before an attempt: take a slot, or refuse the request."""
    if not is_attempt():
        return None
    person = _verified_person()
    slot = verified_slot if person else other_slot
    if not slot.acquire(_waiting_group(person) if person else client_network(), SLOT_TIMEOUT_SECONDS):
        return respond_throttled(RETRY_AFTER_SECONDS)
    g.check_slot = slot
    return None


def release_slot(_failure: BaseException | None) -> None:
    """At the end of each request, successful or not."""
    if slot := g.pop("check_slot", None):
        slot.release()


def is_attempt() -> bool:
    """Return whether the request contains a password or code to check."""
    return request.method == "POST" and request.endpoint in CREDENTIAL_ENDPOINTS


def respond_throttled(seconds: int) -> Response:
    """Return the page that asks to wait."""
    response = make_response(render_template("security/slowed.html", minutes=-(-seconds // 60)), 429)  # rounded up
    response.headers["Retry-After"] = str(seconds)
    return response


def _create_limiter(settings: Settings) -> Limiter:
    """Raises SettingsError.

    Flask-Limiter registers hooks for every request of the app that it is given, and webhooks should not wait for them.
    So it gets an app that serves nothing, and `_create_counter` applies its limits to the pages of this blueprint only.
    """
    url = settings.rate_limit_storage_url.get_secret_value()
    try:
        limiter = Limiter(
            _client_key,
            storage_uri=url,
            storage_options=storage_options(url),
            strategy="fixed-window",
            in_memory_fallback_enabled=True,
        )
        limiter.init_app(Flask(__name__))
    except (ConfigurationError, ImportError, ValueError):
        raise SettingsError(MSG_RATE_LIMIT_STORAGE) from None
    return limiter


def _create_counter(limiter: Limiter, name: str, limits: tuple[Limit, ...]) -> Callable[[], None]:
    """Return a function that counts a request and raises RateLimitExceeded."""

    def count() -> None: ...  # the decorators around it do all the work

    count.__name__ = count.__qualname__ = name  # by which Flask-Limiter finds the limits of a function
    for limit, scope, key, exempt in limits:
        count = limiter.shared_limit(limit, scope, key_func=key, exempt_when=exempt, on_breach=_on_breach)(count)
    return count


def _uncount_success(limiter: Limiter, response: Response) -> Response:
    """Subtract a successful attempt. All attempts are counted first, so that concurrent ones see each other."""
    if not is_attempt() or response.status_code != SUCCESS_STATUS:
        return response
    with suppress(StorageError):  # the Redis has failed since it counted: the success counts as one attempt
        # These are the limits of the last counter only. Those of verified persons also count successes.
        for counted in limiter.current_limits:
            # Not `deduct_when` of Flask-Limiter, which counts only after the response.
            counted.limiter.storage.incr(counted.key, counted.limit.get_expiry(), amount=-1)
    return response


def _client_key() -> str:
    return _hash(client_network())


def _account_and_client_key() -> str:
    return _hash(_verified_person() or f"{_submitted_email()} {client_network()}")


def _verified_person() -> str | None:
    """Return a verified person; None for all others.

    Attempts of verified persons are counted for the person. People often share an address, and one of them, or a client
    behind a proxy that is not set up, could otherwise lock the others out.
    """
    if current_user.is_authenticated:
        return f"user {current_user.id}"
    pending_user_id = session.get("tf_user_id")  # between password and code
    if pending_user_id and request.endpoint != LOGIN:
        return f"user {pending_user_id}"
    email = _submitted_email()
    return f"known {email}" if request.endpoint == LOGIN and known_browsers.is_known(email) else None


def _waiting_group(person: str) -> str:
    """Return the group in which a verified person waits: the first organization, or else the person."""
    if current_user.is_authenticated:
        is_person = User.id == current_user.id
    elif request.endpoint != LOGIN:
        is_person = User.fs_uniquifier == session.get("tf_user_id")
    else:
        is_person = User.email == _submitted_email()
    with transaction() as db_session:
        slug = people.find_first_slug(db_session, is_person)
    return person if slug is None else f"organization {slug}"


def _account_key() -> str:
    return _hash(_submitted_email())


def _submitted_email() -> str:
    return addresses.normalize(request.form.get("email", ""))


def _hash(key: str) -> str:
    """Keys are logged and sent to Redis, and hold what a person typed, such as a password in the wrong field."""
    return hmac.digest(current_app.config[KEY], key.encode(errors="replace"), "sha256").hex()


def _is_exempt() -> bool:
    return not is_attempt()


def _is_not_verified_attempt() -> bool:
    return _is_exempt() or _verified_person() is None


def _is_exempt_or_verified_person() -> bool:
    return _is_exempt() or _verified_person() is not None


def _is_exempt_or_known_browser() -> bool:
    return _is_exempt() or request.endpoint != LOGIN or known_browsers.is_known(_submitted_email())


def _is_not_forgotten_password() -> bool:
    return request.method != "POST" or request.endpoint != FORGOT_PASSWORD


def _on_breach(limit: RequestLimit) -> Response:
    records.record_throttled()
    return respond_throttled(max(1, math.ceil(limit.window.reset_time - time.time())))


VERIFIED_LIMITS: tuple[Limit, ...] = (
    (VERIFIED_PERSON_LIMIT, "verified", _account_and_client_key, _is_not_verified_attempt),
)
LIMITS: tuple[Limit, ...] = (
    (ACCOUNT_FROM_ADDRESS_LIMIT, "sign-in", _account_and_client_key, _is_exempt),
    (ADDRESS_LIMIT, "sign-in", _client_key, _is_exempt_or_verified_person),
    (ACCOUNT_LIMIT, "anywhere", _account_key, _is_exempt_or_known_browser),
    (FORGOTTEN_PASSWORD_LIMIT, "forgotten", _account_and_client_key, _is_not_forgotten_password),
    # A limited number of e-mails may wait. One client could otherwise keep them from everyone else.
    (ADDRESS_LIMIT, "forgotten", _client_key, _is_not_forgotten_password),
)
