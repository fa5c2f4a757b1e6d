"""The page for a forgotten password. It hashes nothing, because strangers can send its form."""

from flask import flash, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import EmailField
from wtforms.validators import DataRequired

from glific_gpt.accounts import passwords
from glific_gpt.accounts.sign_in.client_address import client_address


class ForgottenPasswordForm(FlaskForm):  # type: ignore[misc] # it ships no types
    email = EmailField(
        _("E-mail address"),
        validators=[DataRequired(_("Enter an e-mail address."))],
        render_kw={"autocomplete": "email"},
    )


def forgot_password() -> ResponseReturnValue:
    """Show the form, and request an e-mail with a link.

    The address is looked up by a worker, so that content and time of the response are the same for every address.
    The view of Flask-Security looks it up itself, and computes a password hash for addresses without an account.
    """
    known_email = current_user.email if current_user.is_authenticated else None
    form = ForgottenPasswordForm(data={"email": known_email})
    status = 200
    if form.validate_on_submit():
        passwords.request_reset_email(str(form.email.data), client_address())
        flash(gettext("If this address has an account, an e-mail with a link is on its way."), "info")
    elif form.is_submitted():
        status = 422
    return render_template("security/forgot_password.html", forgot_password_form=form), status
