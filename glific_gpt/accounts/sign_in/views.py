"""Routes for the set-up of the server, sign-in and account security."""

from urllib.parse import urlsplit, urlunsplit

from flask import Blueprint, Response, abort, current_app, flash, g, redirect, request, url_for
from flask import session as browser_session
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_security import check_and_get_token_status, current_user, login_user, logout_user, recovery_codes, views

from glific_gpt.accounts import people
from glific_gpt.accounts.sign_in import forgotten_password, records, sessions, set_up
from glific_gpt.accounts.sign_in.forms import MESSAGES
from glific_gpt.accounts.tables import User
from glific_gpt.database import transaction

NAME = "security"
"""The name of the blueprint that Flask-Security expects."""

GET_AND_POST = ["GET", "POST"]

blueprint = Blueprint(NAME, __name__, url_prefix="/console")


def login() -> ResponseReturnValue:
    response: ResponseReturnValue = views.login()
    sessions.note_first_step()
    return response


def reset_password(token: str) -> ResponseReturnValue:
    """Let a person with a one-time link choose a password, and sign the person in unless a second factor is needed.

    Flask-Security's own option for this is deprecated.
    """
    response: ResponseReturnValue = views.reset_password(token)
    person = g.pop("password_reset_by", None)
    if person is None or person.has_two_factor:
        return response
    login_user(person, authn_via=["reset"])
    return redirect(url_for("console.home"))


def two_factor_setup_validate(token: str) -> ResponseReturnValue:
    """Switch two-step sign-in on, if this session has begun it.

    Flask-Security signs the token, which holds the new secret, without the name of the person. So it would accept the
    token of another person, also long after this person has entered the password.
    """
    expired, invalid, state = check_and_get_token_status(
        token, "tf_setup", current_app.config["SECURITY_TWO_FACTOR_SETUP_WITHIN"]
    )
    if not expired and not invalid and state["totp_secret"] != browser_session.get("tf_totp_secret"):
        message, category = MESSAGES["TWO_FACTOR_SETUP_EXPIRED"]
        flash(gettext(message), category)
        return redirect(url_for(f"{NAME}.two_factor_setup"))
    response: ResponseReturnValue = views.two_factor_setup_validate(token)
    return response


# Most are views of Flask-Security, which has more. Only those listed here are reachable.
_ROUTES = (
    ("/set-up", "set_up", set_up.set_up, GET_AND_POST),
    ("/account/sign-in", "login", login, GET_AND_POST),
    ("/account/confirm", "verify", views.verify, GET_AND_POST),
    ("/account/password", "change_password", views.change_password, GET_AND_POST),
    ("/account/forgotten", "forgot_password", forgotten_password.forgot_password, GET_AND_POST),
    ("/account/reset/<token>", "reset_password", reset_password, GET_AND_POST),
    ("/account/two-factor", "two_factor_setup", views.two_factor_setup, GET_AND_POST),
    ("/account/two-factor/set-up/<token>", "two_factor_setup_validate", two_factor_setup_validate, ["POST"]),
    ("/account/two-factor/code", "two_factor_token_validation", views.two_factor_token_validation, GET_AND_POST),
    ("/account/two-factor/recovery-code", "mf_recovery", recovery_codes.mf_recovery, GET_AND_POST),
    ("/account/two-factor/recovery-codes", "mf_recovery_codes", recovery_codes.mf_recovery_codes, GET_AND_POST),
)
for rule, endpoint, view, methods in _ROUTES:
    blueprint.add_url_rule(rule, endpoint, view, methods=methods)

# Endpoints that check a password or code. Flask-Security answers an invalid form with 200.
CREDENTIAL_ENDPOINTS = {
    f"{NAME}.{endpoint}"
    for endpoint in (
        "set_up",
        "login",
        "verify",
        "change_password",
        "reset_password",
        "two_factor_token_validation",
        "mf_recovery",
    )
}

SECOND_STEP_ENDPOINTS = {f"{NAME}.two_factor_token_validation", f"{NAME}.mf_recovery"}


@blueprint.post("/account/sign-out", endpoint="logout")
def sign_out() -> ResponseReturnValue:
    """Sign out in this browser, and end the session, so that a copy of its cookie is refused too."""
    session_id = browser_session.get(sessions.SESSION_ID)
    person = current_user._get_current_object() if current_user.is_authenticated else None
    response = views.logout()
    # Without a valid CSRF token, the view shows a page that asks for confirmation, and the person stays signed in.
    if person and not current_user.is_authenticated:
        with transaction() as session:
            sessions.end(session, session_id)
            records.record_sign_out(session, person)
        flash(gettext("You are signed out."), "info")
    return response


@blueprint.post("/account/sign-out-everywhere")
def sign_out_everywhere() -> ResponseReturnValue:
    """End all sessions and unused one-time links of the person."""
    if current_user.is_authenticated:
        person_id = current_user.id
        logout_user()
        sessions.forget_second_step()
        with transaction() as session:
            person = session.get_one(User, person_id)
            people.end_sessions(person)
            records.record_sign_out(session, person, is_everywhere=True)
        flash(gettext("You are signed out on all your devices."), "info")
    return redirect(url_for(f"{NAME}.login"))


@blueprint.get("/account/two-factor/lost")
def two_factor_rescue() -> Response:
    """Flask-Security's page for people without their phone: redirect to the recovery codes."""
    return redirect(url_for("security.mf_recovery"))  # type: ignore[return-value]


@blueprint.get("/account/two-factor/done")
def two_factor_done() -> Response:
    """After two-step sign-in was switched on, continue with the recovery codes."""
    needs_codes = current_user.is_authenticated and current_user.has_two_factor and not current_user.mf_recovery_codes
    return redirect(url_for("security.mf_recovery_codes" if needs_codes else "console.account"))  # type: ignore[return-value]


@blueprint.before_request
def _require_form() -> None:
    """Refuse JSON, which Flask-Security would accept. Raises UnsupportedMediaType, and CSRFError for an old form."""
    if request.is_json:
        abort(415)
    # Flask-Security's forms check the token too, but do not say why they refuse it. The sign-out page does.
    if request.method == "POST" and request.endpoint != f"{NAME}.logout":
        current_app.extensions["csrf"].protect()
    g.actor = current_user.email if current_user.is_authenticated else "nobody"


@blueprint.before_request
def _require_first_step() -> Response | None:
    """Open the second step only to a person who has entered the password of an account with a second factor.

    Flask-Security would sign a person out who is signed in already. In the state of a set-up, it would take the new
    secret, which the person has chosen, for that of the account.
    """
    if request.endpoint not in SECOND_STEP_ENDPOINTS:
        return None
    if current_user.is_authenticated:
        return redirect(url_for("console.home"))  # type: ignore[return-value]
    if not sessions.is_second_step_open():
        sessions.forget_second_step()
    return None


@blueprint.after_request
def _set_error_status(response: Response) -> Response:
    if request.method == "POST" and response.status_code == 200 and request.endpoint in CREDENTIAL_ENDPOINTS:
        response.status_code = 422
    return response


@blueprint.after_request
def _make_redirect_relative(response: Response) -> Response:
    """Make redirects relative: behind a proxy, Flask-Security builds URLs with http:// or a wrong host."""
    if response.location:
        url = urlsplit(response.location)
        response.location = urlunsplit(("", "", "/" + url.path.lstrip("/"), url.query, url.fragment))
    return response
