"""The library's forms, with our words, and without what we do not offer."""

from typing import Any, ClassVar

import flask_security as library
from flask import current_app
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, RadioField
from wtforms.validators import DataRequired, Length

from glific_gpt.accounts import passwords
from glific_gpt.accounts.messages import MESSAGES
from glific_gpt.accounts.people import normal

NOW, NEW, AGAIN = _("Your password now"), _("New password"), _("New password, once more")
CODE = _("The code that your app shows")


class Worded:
    """Gives fields our labels."""

    WORDS: ClassVar[dict[str, Any]] = {}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, words in self.WORDS.items():
            self[name].label.text = words  # type: ignore[index]


class TakesAPassword(Worded):
    """No password is longer than those that are taken: a longer one is wrong, and not hashed."""

    def validate(self, **options: Any) -> bool:
        wrong, _kind = MESSAGES["INVALID_PASSWORD"]
        short_enough = {"password": [Length(max=passwords.LONGEST, message=gettext(wrong))]}
        return bool(super().validate(**options | {"extra_validators": short_enough}))  # type: ignore[misc]


class SignIn(TakesAPassword, library.LoginForm):
    """A session lasts as long for everybody, so nobody is asked about it."""

    WORDS: ClassVar = {"email": _("E-mail address"), "password": _("Password"), "submit": _("Sign in")}
    remember = None

    def validate(self, **options: Any) -> bool:
        self.email.data = normal(str(self.email.data or ""))
        return super().validate(**options)


class Confirm(TakesAPassword, library.VerifyForm):
    WORDS: ClassVar = {"password": NOW, "submit": _("Go on")}


class ChangePassword(TakesAPassword, library.ChangePasswordForm):
    WORDS: ClassVar = {"password": NOW, "new_password": NEW, "new_password_confirm": AGAIN, "submit": _("Change it")}


class ResetPassword(Worded, library.ResetPasswordForm):
    WORDS: ClassVar = {"password": NEW, "password_confirm": AGAIN, "submit": _("Save it")}


class Code(Worded, library.TwoFactorVerifyCodeForm):
    WORDS: ClassVar = {"code": CODE, "submit": _("Go on")}

    def validate(self, **options: Any) -> bool:
        # Apps show the digits in two groups, and people type them so.
        self.code.data = "".join(str(self.code.data or "").split())
        return super().validate(**options)


class RecoveryCode(Worded, library.MfRecoveryForm):
    WORDS: ClassVar = {"code": _("One of your recovery codes"), "submit": _("Go on")}


class TwoFactor(library.TwoFactorSetupForm):
    """On or off is what its two buttons say."""

    setup = HiddenField()


class Lost(library.TwoFactorRescueForm):
    """Offers nothing by itself: who is without the phone is led to the recovery codes."""

    help_setup = RadioField(choices=[])


class Forgotten(FlaskForm):  # type: ignore[misc] # it ships no types
    """Whether there is such a person is looked up in a thread: the answer and its time are the same for everybody."""

    email = EmailField(_("E-mail address"), validators=[DataRequired()], render_kw={"autocomplete": "email"})
    requires_confirmation = False
    user = None

    def validate(self, **options: Any) -> bool:
        """Always false for the library, which sends an e-mail by itself otherwise."""
        if super().validate(**options):
            passwords.remember(current_app._get_current_object(), str(self.email.data))  # type: ignore[attr-defined]
        return False
