"""The person's own page: password, second factor, language."""

from flask import Response, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _

from glific_gpt.accounts.tables import User
from glific_gpt.console.access import Lock, needs, person
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.context import COOKIE_KEY, LANGUAGES
from glific_gpt.database import transaction


@blueprint.get("/account/")
@needs(Lock.SIGNED_IN)
def account() -> str:
    return render_template("console/account.html", user=person())


@blueprint.post("/account/language")
@needs(Lock.SIGNED_IN)
def set_own_language() -> Response:
    """Kept for the person, whatever browser it is; empty is the browser's own."""
    chosen = request.form.get("language", "")
    locale = chosen if chosen in LANGUAGES else None
    with transaction() as db_session:
        db_session.get_one(User, person().id).locale = locale
    session.pop(COOKIE_KEY, None)
    person().locale = locale
    flash(_("The language is saved."), "success")
    return redirect(url_for("console.account"))  # type: ignore[return-value]
