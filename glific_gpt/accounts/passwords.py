"""Passwords: long enough, and nothing else is asked of them."""

import secrets
import threading
import unicodedata

import structlog
from flask import Flask, current_app, render_template
from flask_babel import force_locale, gettext

from glific_gpt.accounts import mail, people
from glific_gpt.accounts.people import SWITCHED_OFF
from glific_gpt.accounts.tables import User
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.database import transaction
from glific_gpt.errors import Conflict, InvalidValue, NotFound

SHORTEST = 12
LONGEST = 128

# Without those that look like another; 20 of them are 99 bits.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def checked(password: str) -> str:
    """As it is hashed. Raises InvalidValue."""
    normal = unicodedata.normalize("NFKD", password)
    if not SHORTEST <= len(normal) <= LONGEST:
        raise InvalidValue(f"A password has {SHORTEST} to {LONGEST} characters.")
    return normal


def made_up() -> str:
    """Easy to type: five groups of four."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(5))


PUBLIC_URL = "SECURITY_PUBLIC_URL"


def one_time_link(user: User, organization_id: int | None = None) -> str:
    """Absolute, good for three days, and dead once a password was chosen. Call it outside a transaction.

    Raises Conflict for an account that is switched off: no link would open it.
    """
    if not user.active:
        raise Conflict(SWITCHED_OFF)
    with transaction() as session:
        trail.record(session, Action.SIGN_IN_LINK_MADE, organization_id, email=user.email)
    return reset_link(user)


def reset_link(user: User) -> str:
    """The same, for an e-mail that the person has asked for."""
    token = current_app.extensions["security"].reset_serializer.dumps([user.fs_uniquifier, None])
    # Not from the request, whose host anybody can make up.
    path = current_app.url_map.bind("").build("security.reset_password", {"token": token})
    return f"{current_app.config[PUBLIC_URL]}{path}"


AT_ONCE = 4
"""E-mails that each process sends at the same time; who comes while it is busy asks again."""

log = structlog.get_logger()
_places = threading.BoundedSemaphore(AT_ONCE)


def remember(app: Flask, email: str) -> None:
    """Sends the person a link, if there is such a person and a way to send e-mails."""
    if not mail.is_configured(app) or not _places.acquire(blocking=False):
        return
    threading.Thread(target=_send, args=(app, email), name="forgotten-password", daemon=True).start()


def _send(app: Flask, email: str) -> None:
    try:
        with app.app_context():
            _send_if_known(email)
    except NotFound:
        pass
    except Exception as failure:  # noqa: BLE001 - nobody is there to hear of it but the log
        log.error("mail_failed", reason=type(failure).__name__)
    finally:
        _places.release()


def _send_if_known(email: str) -> None:
    """Raises NotFound."""
    with transaction() as session:
        user = people.find(session, email)
    if user.active:
        with force_locale(user.locale or "en"):
            url = current_app.config[PUBLIC_URL]
            text = render_template("security/email/reset.txt", link=reset_link(user), url=url)
            mail.send(user.email, gettext("Your link to choose a password"), text)
