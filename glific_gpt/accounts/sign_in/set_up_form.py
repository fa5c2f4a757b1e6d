"""Form for the first administrator."""

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, StringField
from wtforms.validators import DataRequired, EqualTo

MSG_TOKEN_MISSING = _("Enter the token from the log.")


class SetUpForm(FlaskForm):  # type: ignore[misc] # it ships no types
    """Token, address and password. The domain modules check their values."""

    token = StringField(
        _("Set-up token"), validators=[DataRequired(MSG_TOKEN_MISSING)], render_kw={"autocomplete": "off"}
    )
    email = EmailField(
        _("E-mail address"),
        validators=[DataRequired(_("Enter an e-mail address."))],
        render_kw={"autocomplete": "email"},
    )
    password = PasswordField(
        _("Password"), validators=[DataRequired(_("Enter a password."))], render_kw={"autocomplete": "new-password"}
    )
    password_confirm = PasswordField(
        _("Repeat the password"),
        validators=[EqualTo("password", _("The two passwords are different. Enter them again."))],
        render_kw={"autocomplete": "new-password"},
    )
