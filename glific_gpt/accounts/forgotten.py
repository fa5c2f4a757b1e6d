"""Forgotten passwords: a link by e-mail, looked up and sent in a thread so that its time tells nobody anything."""

import threading

import structlog
from flask import Flask, current_app, render_template
from flask_babel import force_locale, gettext

from glific_gpt.accounts import links, mail, people
from glific_gpt.database import transaction
from glific_gpt.errors import NotFound

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
            url = current_app.config[links.PUBLIC_URL]
            text = render_template("security/email/reset.txt", link=links.reset_link(user), url=url)
            mail.send(user.email, gettext("Your link to choose a password"), text)
