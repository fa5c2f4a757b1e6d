"""One-time links: the address of a page on which a person chooses a password, until somebody has."""

from flask import current_app

from glific_gpt.accounts.people import SWITCHED_OFF
from glific_gpt.accounts.tables import User
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.database import transaction
from glific_gpt.errors import Conflict

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
