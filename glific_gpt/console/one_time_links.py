"""One-time links for accounts: shown once in a page, and sent by e-mail if the server can send it."""

from dataclasses import dataclass, field

import structlog
from flask import current_app
from flask_babel import gettext as _

from glific_gpt.accounts import mail
from glific_gpt.accounts.sign_in.security import one_time_link
from glific_gpt.accounts.tables import User

log = structlog.get_logger()


@dataclass(frozen=True)
class IssuedLink:
    """A new one-time link, as the page shows it once."""

    email: str
    url: str = field(repr=False)
    was_sent: bool
    """True if the link was also sent by e-mail."""
    had_account: bool = False
    """True if the user already had an account. Its credentials were reset."""


def issue_link(user: User, organization_id: int | None = None, *, had_account: bool = False) -> IssuedLink:
    """Create a link and send it by e-mail if possible.

    Call this outside a transaction: sending can take seconds, and SQLite has one writer.
    """
    url = one_time_link(user, organization_id)
    return IssuedLink(user.email, url, was_sent=_send_by_email(user.email, url), had_account=had_account)


def _send_by_email(email: str, url: str) -> bool:
    """Return whether the e-mail was sent. A failure is only logged, because the page shows the link too."""
    if not mail.is_configured(current_app):
        return False
    intro = _("Choose a password for glific_gpt on this page. The link works once and expires after three days.")
    text = f"{intro}\n\n{url}\n"
    try:
        mail.send(email, _("Your link to glific_gpt"), text)
    except OSError as failure:
        log.warning("mail_failed", reason=type(failure).__name__)
        return False
    return True
