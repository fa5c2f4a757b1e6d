"""To try a password takes memory and a core: each process does little of it at once, so that webhooks go on."""

import hmac
import math
import threading
import time
from ipaddress import IPv6Address, IPv6Network, ip_address

from flask import Flask, Response, current_app, g, make_response, render_template, request, session
from flask_limiter import Limiter, RateLimitExceeded, RequestLimit
from flask_security import current_user
from limits.errors import ConfigurationError

from glific_gpt.accounts import known_browsers
from glific_gpt.accounts.known_browsers import derive_key
from glific_gpt.accounts.people import normalize_email
from glific_gpt.accounts.views import CREDENTIAL_ENDPOINTS, NAME, blueprint
from glific_gpt.errors import SettingsError
from glific_gpt.settings import Settings

AT_ONCE = 2
WAIT_SECONDS = 2.0
"""How long somebody stands in line before being asked to come again."""
COME_AGAIN_SECONDS = 60

places = threading.BoundedSemaphore(AT_ONCE)


def enter() -> Response | None:
    """Before a try."""
    if not is_a_try():
        return None
    if not places.acquire(timeout=WAIT_SECONDS):
        return slowed(COME_AGAIN_SECONDS)
    g.has_a_place = True
    return None


def leave(_failure: BaseException | None) -> None:
    """At the end of each request, however it went."""
    if g.pop("has_a_place", False):
        places.release()


def is_a_try() -> bool:
    """Whether somebody says a password or a code."""
    return request.method == "POST" and request.endpoint in CREDENTIAL_ENDPOINTS


def slowed(seconds: int) -> Response:
    """The page for who has to wait."""
    response = make_response(render_template("security/slowed.html", minutes=-(-seconds // 60)), 429)
    response.headers["Retry-After"] = str(seconds)
    return response


EACH_ACCOUNT = "5 per minute; 30 per hour"
"""From one address."""
EACH_ADDRESS = "30 per minute; 200 per hour"
EACH_ACCOUNT_FROM_ANYWHERE = "100 per hour"
"""From all browsers together in which its person has never signed in."""
EACH_FORGOTTEN = "5 per hour"
PROXIES = "GLIFIC_GPT_TRUSTED_PROXY_COUNT"
KEY = "SECURITY_LIMITS_KEY"
LOGIN, FORGOTTEN = f"{NAME}.login", f"{NAME}.forgot_password"
NETWORK = 64
"""The bits of an IPv6 address that whoever has one cannot choose."""
WENT_WELL = 302


def init(app: Flask, settings: Settings) -> None:
    """Raises SettingsError."""
    app.config[PROXIES] = settings.trusted_proxy_count
    app.config[KEY] = derive_key(settings.secret_key, "limits")
    known_browsers.init(app, settings)
    limiter = _limiter(app, settings)
    # Flask-Limiter looks at every request; webhooks and programs shall not wait for it.
    count = app.before_request_funcs[None].pop()
    app.before_request_funcs.setdefault(NAME, []).extend((enter, count))
    app.after_request_funcs.setdefault(NAME, []).append(app.after_request_funcs[None].pop())
    app.after_request_funcs[NAME].append(lambda response: _give_back(limiter, response))
    app.teardown_request_funcs.setdefault(NAME, []).extend((app.teardown_request_funcs[None].pop(), leave))
    app.register_error_handler(RateLimitExceeded, lambda breach: breach.get_response())
    for limit, scope, key, exempt in (
        (EACH_ACCOUNT, "sign-in", _account_here, _is_no_try),
        (EACH_ADDRESS, "sign-in", _here, _is_no_try),
        (EACH_ACCOUNT_FROM_ANYWHERE, "anywhere", _account, _is_no_stranger),
        (EACH_FORGOTTEN, "forgotten", _account_here, _is_not_forgotten),
    ):
        limiter.shared_limit(limit, scope, key_func=key, exempt_when=exempt, on_breach=_too_many)(blueprint)


def _limiter(app: Flask, settings: Settings) -> Limiter:
    limiter = Limiter(
        _here,
        storage_uri=settings.rate_limit_storage_url.get_secret_value(),
        strategy="fixed-window",
        in_memory_fallback_enabled=True,
    )
    try:
        limiter.init_app(app)
    except (ConfigurationError, ValueError):
        raise SettingsError(
            "GLIFIC_GPT_RATE_LIMIT_STORAGE_URL cannot be used: it is memory://, or redis://host:6379 with the package redis "
            "installed (pip install redis)."
        ) from None
    return limiter


def _give_back(limiter: Limiter, response: Response) -> Response:
    """A try is counted before it is made, or those made at the same moment would not see each other."""
    if is_a_try() and response.status_code == WENT_WELL:
        for counted in limiter.current_limits:
            counted.limiter.storage.incr(counted.key, counted.limit.get_expiry(), amount=-1)
    return response


def _address() -> str:
    """Where the request comes from: what the outermost of our own proxies wrote down, nearer ones behind it."""
    proxies: int = current_app.config[PROXIES]
    route = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    if proxies and len(route) >= proxies and route[-proxies]:
        return route[-proxies]
    return request.remote_addr or "unknown"


def _network(address: str) -> str:
    """What somebody cannot change by themselves: an IPv4 address, or the network of an IPv6 address."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Network((found.packed, NETWORK), strict=False))


def _here() -> str:
    return _hidden(_network(_address()))


def _account_here() -> str:
    """Whose account it is about, and from where; before a code is given, it is the one in the session."""
    if current_user.is_authenticated:
        return _hidden(f"user {current_user.id}")
    waiting = session.get("tf_user_id")
    if waiting and request.endpoint != LOGIN:
        return _hidden(f"user {waiting}")
    return _hidden(f"{_named()} {_network(_address())}")


def _account() -> str:
    return _hidden(_named())


def _named() -> str:
    return normalize_email(request.form.get("email", ""))[:255]


def _hidden(key: str) -> str:
    """Keys are logged and sent to Redis, and hold whatever somebody has typed: a password in the wrong field, too."""
    return hmac.digest(current_app.config[KEY], key.encode(errors="replace"), "sha256").hex()


def _is_no_try() -> bool:
    return not is_a_try()


def _is_no_stranger() -> bool:
    return _is_no_try() or request.endpoint != LOGIN or known_browsers.is_known(_named())


def _is_not_forgotten() -> bool:
    return request.method != "POST" or request.endpoint != FORGOTTEN


def _too_many(limit: RequestLimit) -> Response:
    return slowed(max(1, math.ceil(limit.window.reset_time - time.time())))
