"""The start page, and the language of the console."""

from flask import Response, redirect, render_template, request, session, url_for

from glific_gpt.accounts import people
from glific_gpt.console.access import AccessLevel, requires, signed_in_user
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.context import LANGUAGE_KEY, LANGUAGES
from glific_gpt.console.redirects import PARAMETER, is_console_page
from glific_gpt.database import transaction


@blueprint.get("/")
@requires(AccessLevel.SIGNED_IN)
def home() -> Response | str:
    """Redirect to the only organization of a user, or show a list."""
    if signed_in_user().is_administrator:
        return redirect(url_for("console.list_organizations"))  # type: ignore[return-value]
    with transaction() as db_session:
        memberships = people.list_memberships(db_session, signed_in_user())
    if len(memberships) == 1:
        return redirect(url_for("console.overview", slug=memberships[0][0].slug))  # type: ignore[return-value]
    return render_template("console/home.html", memberships=memberships)


@blueprint.post("/language")
@requires(AccessLevel.PUBLIC)
def set_language() -> Response:
    """Set the language of this browser. The account page sets the language of the user."""
    if (chosen := request.form.get("language", "")) in LANGUAGES:
        session[LANGUAGE_KEY] = chosen
    back = request.form.get(PARAMETER, "")
    return redirect(back if is_console_page(back) else url_for("console.home"))  # type: ignore[return-value]
