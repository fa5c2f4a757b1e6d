"""The administrators' decision that everyone needs two-step sign-in."""

from flask import Response, g, redirect, request, url_for
from flask_security import current_user
from sqlalchemy import select
from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.database import insert_if_absent, transaction
from glific_gpt.errors import N_
from glific_gpt.organizations.server_models import ROW_ID
from glific_gpt.organizations.tables import ServerSettings

SETUP = "security.two_factor_setup"
ALLOWED_BEFORE_SETUP = {
    SETUP,
    "security.two_factor_setup_validate",
    "security.verify",  # the set-up asks for the password if it was entered some time ago
    "security.logout",
    "console.static",
    "console.set_language",
}
"""Endpoints for a person who has to set up two-step sign-in first."""
MSG_REQUIRED = N_("An administrator of this server requires two-step sign-in, so you cannot switch it off.")


def find_required(session: Session) -> bool:
    return bool(session.scalar(select(ServerSettings.require_two_factor).where(ServerSettings.id == ROW_ID)))


def set_required(session: Session, *, required: bool) -> None:
    """Require two-step sign-in of everyone, or leave it to each person, from the next request on."""
    if find_required(session) == required:
        return
    if not insert_if_absent(session, ServerSettings(id=ROW_ID, allowed_models=None, require_two_factor=required)):
        session.get_one(ServerSettings, ROW_ID).require_two_factor = required
    trail.record(session, Action.TWO_FACTOR_REQUIRED if required else Action.TWO_FACTOR_OPTIONAL)


def is_required() -> bool:
    """Return whether everyone needs two-step sign-in. Opens a transaction, once in a request."""
    if "two_factor_required" not in g:
        with transaction() as session:
            g.two_factor_required = find_required(session)
    return bool(g.two_factor_required)


def redirect_to_setup() -> Response | None:
    """Redirect a person without two-step sign-in to the page where it is set up, from any other page and form."""
    if request.endpoint in ALLOWED_BEFORE_SETUP or not current_user.is_authenticated:
        return None
    # A new password comes first.
    if current_user.has_two_factor or current_user.must_change_password or not is_required():
        return None
    if "HX-Request" in request.headers:  # htmx would insert the page into a part of the page
        return Response(headers={"HX-Redirect": url_for(SETUP)})
    return redirect(url_for(SETUP), 303)  # type: ignore[return-value]
