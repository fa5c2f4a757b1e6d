"""The first page: where each person goes on from; and the language of all pages."""

from flask import Response, redirect, render_template, request, session, url_for

from glific_gpt.accounts import people
from glific_gpt.console.access import Lock, needs, person
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.context import COOKIE_KEY, LANGUAGES
from glific_gpt.database import transaction


@blueprint.get("/")
@needs(Lock.SIGNED_IN)
def home() -> Response | str:
    """Whoever has one organization has nothing to choose."""
    if person().is_administrator:
        return redirect(url_for("console.list_organizations"))  # type: ignore[return-value]
    with transaction() as db_session:
        mine = people.memberships(db_session, person())
    if len(mine) == 1:
        return redirect(url_for("console.overview", slug=mine[0][0].slug))  # type: ignore[return-value]
    return render_template("console/home.html", mine=mine)


@blueprint.post("/language")
@needs(Lock.ANYBODY)
def set_language() -> Response:
    """Kept for this browser; the account page keeps it for the person."""
    if (chosen := request.form.get("language", "")) in LANGUAGES:
        session[COOKIE_KEY] = chosen
    back = request.form.get("next", "")
    return redirect(back if _is_ours(back) else url_for("console.home"))  # type: ignore[return-value]


def _is_ours(address: str) -> bool:
    """A path of this server, and nothing that a browser could take for another host's."""
    return address.startswith("/console/") and "\\" not in address and "//" not in address
