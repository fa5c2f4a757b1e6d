"""One-time links for accounts: shown once in a page, and sent by e-mail if the server can send it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from glific_gpt.accounts.passwords import LINK_LIFETIME
from glific_gpt.accounts.sign_in.security import one_time_link
from glific_gpt.accounts.tables import User
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.emails import smtp
from glific_gpt.emails.smtp import Email
from glific_gpt.services import services
from glific_gpt.vault import NO_ORGANIZATION

MAX_EMAILS_PER_HOUR = 5
"""E-mails with one-time links for one person, of all organizations and administrators together."""

log = structlog.get_logger()


class EmailState(StrEnum):
    """The state of the e-mail with a link."""

    NONE = "none"
    """No e-mail is sent: the page asks to pass the link on."""
    ON_ITS_WAY = "on_its_way"
    DELAYED = "delayed"
    """It is sent as soon as the mail server accepts e-mails again."""


@dataclass(frozen=True)
class IssuedLink:
    """A new one-time link, as the page shows it once."""

    email: str
    url: str = field(repr=False)
    message: str = field(repr=False)
    """The link with its explanation, as people pass it on."""
    email_state: EmailState
    had_account: bool = False
    """True if the user already had an account. Its credentials were reset."""


def issue_link(
    user: User,
    organization_id: int | None = None,
    *,
    had_account: bool = False,
    check: Callable[[Session], None] | None = None,
) -> IssuedLink:
    """Create a link, and let a worker send it by e-mail if possible. Call this outside a transaction.

    After too many links for the person within an hour, no e-mail is sent, and the page asks to pass the link on.
    Raises Conflict for an account that is switched off, and what `check` raises in the transaction of the link.
    """
    expires_at = now() + LINK_LIFETIME
    url = one_time_link(user, organization_id, check)
    intro = _("Choose a password for glific_gpt on this page. The link works once and expires after three days.")
    message = f"{intro}\n\n{url}\n"
    email = Email(user.email, _("Your link to glific_gpt"), message)
    return IssuedLink(user.email, url, message, _send(email, expires_at, organization_id), had_account=had_account)


def _send(email: Email, expires_at: datetime, organization_id: int | None) -> EmailState:
    """A failure is only logged, because the page shows the link too."""
    if not smtp.is_configured(current_app):
        return EmailState.NONE
    outbox = services().outbox
    try:
        with transaction() as session:
            made = trail.count_entries_about(
                session, email.recipient, Action.SIGN_IN_LINK_MADE, now() - timedelta(hours=1)
            )
            if made > MAX_EMAILS_PER_HOUR:  # with this link, whose entry is written already
                return EmailState.NONE
            is_delayed = outbox.is_delayed(session)
            is_stored = outbox.send(session, email, expires_at, organization_id or NO_ORGANIZATION)
    except SQLAlchemyError as failure:
        log.error("email_dropped", reason=type(failure).__name__)
        return EmailState.NONE
    if not is_stored:
        log.error("email_dropped", reason="too many e-mails are waiting")
        return EmailState.NONE
    return EmailState.DELAYED if is_delayed else EmailState.ON_ITS_WAY
