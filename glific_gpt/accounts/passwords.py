"""Passwords: generated ones, one-time links, and the e-mail for forgotten passwords."""

import secrets
import threading
import time

import structlog
from flask import Flask, current_app, g, render_template
from flask_babel import force_locale, gettext

from glific_gpt.accounts import mail, people
from glific_gpt.accounts.people import MSG_ACCOUNT_INACTIVE
from glific_gpt.accounts.tables import User
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.database import transaction
from glific_gpt.errors import Conflict, NotFound
from glific_gpt.runtime.bridge import blocking

# Without characters that look like another one. 20 of them have 99 bits of entropy.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def generate() -> str:
    """Return a random password that is easy to type: five groups of four characters."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(5))


PUBLIC_URL = "SECURITY_PUBLIC_URL"


def one_time_link(user: User, organization_id: int | None = None) -> str:
    """Return an absolute URL where the person chooses a password. It is valid for three days, or until it was used.

    Call it outside a transaction. Raises Conflict for an account that is switched off.
    """
    if not user.active:
        raise Conflict(MSG_ACCOUNT_INACTIVE)
    with transaction() as session:
        trail.record(session, Action.SIGN_IN_LINK_MADE, organization_id, email=user.email)
    return reset_link(user)


def reset_link(user: User) -> str:
    """Return such a URL for an e-mail that the person has asked for, without an audit entry."""
    # The format of Flask-Security's own tokens. Their second part, a hash of the password, is never checked.
    token = current_app.extensions["security"].reset_serializer.dumps([user.fs_uniquifier, None])
    # Not built from the request, because a client can send any host.
    path = current_app.url_map.bind("").build("security.reset_password", {"token": token})
    return f"{current_app.config[PUBLIC_URL]}{path}"


MAX_CONCURRENT_EMAILS = 20
"""E-mails that each process prepares at the same time. Further requests are dropped, and people ask again."""
DELAY_SECONDS = (1.0, 2.0)
"""Range of the time before the address is looked up. By then the response is sent.

Without it, the work for a person who exists slowed the response down, by 150 ms on a busy machine with one core.
"""

log = structlog.get_logger()
_email_slots = threading.BoundedSemaphore(MAX_CONCURRENT_EMAILS)


def send_reset_link(app: Flask, email: str, client: str) -> None:
    """E-mail the person a link, if the person exists and e-mail is configured.

    This runs in a thread, and later, so that the time of the response does not reveal whether the address has an
    account.
    """
    if not mail.is_configured(app) or not _email_slots.acquire(blocking=False):
        return
    threading.Thread(target=_send_and_log, args=(app, email, client), name="reset-link", daemon=True).start()


@blocking
def _send_and_log(app: Flask, email: str, client: str) -> None:
    time.sleep(secrets.SystemRandom().uniform(*DELAY_SECONDS))
    try:
        with app.app_context():
            _send_if_person_exists(email, client)
    except NotFound:
        pass
    except Exception as failure:  # noqa: BLE001 - no caller waits for this thread
        log.error("mail_failed", reason=type(failure).__name__)
    finally:
        _email_slots.release()


def _send_if_person_exists(email: str, client: str) -> None:
    """Raises NotFound."""
    with transaction() as session:
        user = people.find_person(session, email)
        if user.active:
            g.actor = "nobody"
            trail.record(session, Action.PASSWORD_LINK_REQUESTED, email=user.email, address=client)
    if user.active:
        with force_locale(user.locale or "en"):
            url = current_app.config[PUBLIC_URL]
            text = render_template("security/email/reset.txt", link=reset_link(user), url=url)
            mail.send(user.email, gettext("Your link to choose a password"), text)
