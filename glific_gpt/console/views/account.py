"""The user's own account page: password, two-step sign-in, language."""

from datetime import date

from flask import Response, flash, redirect, render_template, request, session, url_for
from flask_babel import force_locale, format_date, format_decimal, get_locale
from flask_babel import gettext as _

from glific_gpt.accounts import locales
from glific_gpt.accounts.tables import User
from glific_gpt.console.access import AccessLevel, load_last_organization, requires, signed_in_user
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.context import LANGUAGE_KEY
from glific_gpt.database import transaction

SAMPLE_DAY = date(2026, 11, 28)
SAMPLE_NUMBER = 1_743_945


@blueprint.get("/account/")
@requires(AccessLevel.SIGNED_IN)
def account() -> str:
    load_last_organization()
    saved = signed_in_user().locale
    return render_template(
        "console/account.html",
        user=signed_in_user(),
        locales={code: _describe_locale(code) for code in locales.LOCALES},
        saved_locale=locales.find_locale(saved) if saved else None,
    )


@blueprint.post("/account/language")
@requires(AccessLevel.SIGNED_IN)
def set_own_language() -> Response:
    """Save the locale for the user, in all browsers. An empty value means the language of the browser."""
    chosen = request.form.get("language", "")
    locale = chosen if chosen in locales.LOCALES else None
    with transaction() as db_session:
        db_session.get_one(User, signed_in_user().id).locale = locale
    # A language chosen in this browser before would win over the saved one.
    session.pop(LANGUAGE_KEY, None)
    signed_in_user().locale = locale
    flash(_("The language is saved."), "success")
    return redirect(url_for("console.account"))  # type: ignore[return-value]


def _describe_locale(code: str) -> str:
    """Return the name of a locale in its own language, such as "English (India): 28 Nov 2026; 17,43,945"."""
    with force_locale(code):
        name = get_locale().get_display_name()
        return f"{name}: {format_date(SAMPLE_DAY)}; {format_decimal(SAMPLE_NUMBER)}"
