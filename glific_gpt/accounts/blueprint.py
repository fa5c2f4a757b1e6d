"""Every address at which people sign in or change how they do, each with the library's view for it."""

from urllib.parse import urlsplit, urlunsplit

from flask import Blueprint, Response, abort, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_security import current_user, recovery_codes, views

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import User
from glific_gpt.database import transaction

NAME = "security"
"""The name that the library looks for."""

FORM = ["GET", "POST"]

blueprint = Blueprint(NAME, __name__, url_prefix="/console/account")

# Only what is listed here can be reached; the library has more.
_ROUTES = (
    ("/sign-in", "login", views.login, FORM),
    ("/confirm", "verify", views.verify, FORM),
    ("/password", "change_password", views.change_password, FORM),
    ("/forgotten", "forgot_password", views.forgot_password, FORM),
    ("/reset/<token>", "reset_password", views.reset_password, FORM),
    ("/two-factor", "two_factor_setup", views.two_factor_setup, FORM),
    ("/two-factor/set-up/<token>", "two_factor_setup_validate", views.two_factor_setup_validate, ["POST"]),
    ("/two-factor/code", "two_factor_token_validation", views.two_factor_token_validation, FORM),
    ("/two-factor/recovery-code", "mf_recovery", recovery_codes.mf_recovery, FORM),
    ("/two-factor/recovery-codes", "mf_recovery_codes", recovery_codes.mf_recovery_codes, FORM),
)
for rule, endpoint, view, methods in _ROUTES:
    blueprint.add_url_rule(rule, endpoint, view, methods=methods)

# A form that comes back after it was sent had something wrong in it.
SHOWN_AGAIN = {
    f"{NAME}.{endpoint}"
    for endpoint in (
        "login",
        "verify",
        "change_password",
        "reset_password",
        "two_factor_token_validation",
        "mf_recovery",
    )
}


@blueprint.post("/sign-out", endpoint="logout")
def sign_out() -> ResponseReturnValue:
    """Everywhere, as a copy of the cookie would open the account otherwise."""
    person = current_user._get_current_object() if current_user.is_authenticated else None
    answer = views.logout()
    if person and not current_user.is_authenticated:
        with transaction() as session:
            people.end_sessions(session.get_one(User, person.id))
        flash(gettext("You are signed out on all your devices."), "info")
    return answer


@blueprint.get("/two-factor/lost")
def two_factor_rescue() -> Response:
    """Where the library sends people without their phone: what helps is a recovery code."""
    return redirect(url_for("security.mf_recovery"))  # type: ignore[return-value]


@blueprint.get("/two-factor/done")
def two_factor_done() -> Response:
    """Whoever has just switched the second factor on makes recovery codes next."""
    lacks_codes = current_user.is_authenticated and current_user.has_two_factor and not current_user.mf_recovery_codes
    return redirect(url_for("security.mf_recovery_codes" if lacks_codes else "console.account"))  # type: ignore[return-value]


@blueprint.before_request
def _prepare() -> None:
    """Only what a form of a page sends is read. Raises UnsupportedMediaType."""
    if request.is_json:
        abort(415)
    g.actor = current_user.email if current_user.is_authenticated else "nobody"


@blueprint.after_request
def _say_that_it_was_wrong(response: Response) -> Response:
    if request.method == "POST" and response.status_code == 200 and request.endpoint in SHOWN_AGAIN:
        response.status_code = 422
    return response


@blueprint.after_request
def _stay_here(response: Response) -> Response:
    """The library leads on by whole addresses, made from what a proxy left of the request: http://, or another host."""
    if response.location:
        whole = urlsplit(response.location)
        response.location = urlunsplit(("", "", "/" + whole.path.lstrip("/"), whole.query, whole.fragment))
    return response
