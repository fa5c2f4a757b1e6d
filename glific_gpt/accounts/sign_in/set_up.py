"""The page where a person with the set-up token of the log becomes the first administrator."""

import structlog
from flask import current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_security import current_user, hash_password, login_user

from glific_gpt.accounts import first_administrator, password_rules
from glific_gpt.accounts.sign_in.client_address import client_address
from glific_gpt.accounts.sign_in.set_up_form import SetUpForm
from glific_gpt.accounts.tables import User
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.database import transaction
from glific_gpt.errors import Conflict, InvalidValue

ACTOR = "set-up token"
"""Actor of the audit entries."""

log = structlog.get_logger()


def set_up() -> ResponseReturnValue:
    """Show the form, and create the administrator. The page does not exist once there is one."""
    if not is_needed():
        return _leave()
    form = SetUpForm()
    if not form.is_submitted():
        form.token.data = request.args.get("token", "")
    elif form.validate():
        try:
            return _create(form)
        except Conflict:
            return _leave()
        except InvalidValue as error:
            form.form_errors.append(gettext(str(error)))
    return render_template("security/set_up.html", form=form)


def is_needed() -> bool:
    """Return whether the server has no administrator. Opens a transaction."""
    with transaction() as session:
        return first_administrator.is_missing(session)


def _create(form: SetUpForm) -> ResponseReturnValue:
    """Raises InvalidValue for a wrong token, address or password, and Conflict if there is an administrator."""
    email = str(form.email.data)
    # First, because the rules for passwords and the hash take time.
    try:
        first_administrator.require_token(str(form.token.data).strip())
    except InvalidValue:
        _record_wrong_token()
        raise
    hashed = hash_password(password_rules.validate(str(form.password.data), [email]))
    g.actor = ACTOR
    with transaction() as session:
        user = first_administrator.create(session, email, hashed)
    _sign_in(user)
    flash(gettext("You are the administrator of this server. Create the first organization."), "success")
    return redirect(url_for("console.home"))


def _sign_in(user: User) -> None:
    login_user(user, authn_via=["password"])  # type: ignore[arg-type] # see datastore.py
    current_app.extensions["security"].datastore.commit()


def _leave() -> ResponseReturnValue:
    if not current_user.is_authenticated:
        flash(gettext(first_administrator.MSG_SET_UP), "info")
    return redirect(url_for("console.home"), 303)


def _record_wrong_token() -> None:
    address = client_address()
    log.warning("set_up_failed", client=address)
    with transaction() as session:
        trail.record(session, Action.SET_UP_FAILED, address=address)
