"""One-time links as pages hand them over: shown in the answer that made them, e-mailed where the server can."""

from dataclasses import dataclass, field

import structlog
from flask import current_app
from flask_babel import gettext as _

from glific_gpt.accounts import mail
from glific_gpt.accounts.security import one_time_link
from glific_gpt.accounts.tables import User

log = structlog.get_logger()


@dataclass(frozen=True)
class HandedOver:
    """What the person who asked for it is shown, once."""

    email: str
    url: str = field(repr=False)
    mailed: bool
    """Whether it is on its way by e-mail too."""
    is_known: bool = False
    """Whether there was an account, which starts anew."""


def hand_over(user: User, organization_id: int | None = None, *, is_known: bool = False) -> HandedOver:
    """Call it outside a transaction."""
    url = one_time_link(user, organization_id)
    return HandedOver(user.email, url, mailed=_mailed(user.email, url), is_known=is_known)


def _mailed(email: str, url: str) -> bool:
    """An e-mail that could not be sent takes nothing away: the link is on the page."""
    if not mail.is_configured(current_app):
        return False
    text = (
        _("Choose a password for glific_gpt on this page. The link works once and expires after three days.")
        + f"\n\n{url}\n"
    )
    try:
        mail.send(email, _("Your link to glific_gpt"), text)
    except OSError as failure:
        log.warning("mail_failed", reason=type(failure).__name__)
        return False
    return True
