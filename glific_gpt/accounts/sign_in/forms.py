"""Flask-Security's forms and messages, with our texts, and without features that we do not offer."""

from typing import Any, ClassVar

import flask_security as library
from flask import current_app
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_security import current_user, verify_password
from wtforms import HiddenField, RadioField
from wtforms.validators import Length

from glific_gpt.accounts import addresses, password_rules
from glific_gpt.accounts.sign_in import records, two_factor_requirement
from glific_gpt.audit.actions import Action
from glific_gpt.errors import N_

LABEL_CURRENT_PASSWORD, LABEL_NEW_PASSWORD, LABEL_REPEAT_PASSWORD = (
    _("Current password"),
    _("New password"),
    _("Repeat the new password"),
)
LABEL_CODE = _("Code from your authenticator app")


class LabelledForm:
    """Replaces the labels of fields."""

    LABELS: ClassVar[dict[str, Any]] = {}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, label in self.LABELS.items():
            self[name].label.text = label  # type: ignore[index]


class PasswordForm(LabelledForm):
    """Records wrong passwords, and refuses a password over the maximum length without hashing it, which takes time."""

    def validate(self, **options: Any) -> bool:
        # WTForms runs validators before the library's form hashes the password.
        message, _category = MESSAGES["INVALID_PASSWORD"]
        max_length = {"password": [Length(max=password_rules.MAX_LENGTH, message=gettext(message))]}
        is_valid = bool(super().validate(**options | {"extra_validators": max_length}))  # type: ignore[misc]
        if gettext(message) in self["password"].errors:  # type: ignore[index]
            self.record_failure()
        return is_valid

    def record_failure(self) -> None:
        records.record_failure(current_user._get_current_object(), Action.PASSWORD_CHECK_FAILED)


class SignInForm(PasswordForm, library.LoginForm):
    """Without "remember me": all sessions have the same lifetime."""

    LABELS: ClassVar = {"email": _("E-mail address"), "password": _("Password"), "submit": _("Sign in")}
    remember = None

    def validate(self, **options: Any) -> bool:
        self.email.data = addresses.normalize(str(self.email.data or ""))
        is_valid = super().validate(**options)
        if not is_valid and not self.password.errors:  # an unknown address, or an account that is switched off
            self.record_failure()
        return is_valid

    def record_failure(self) -> None:
        records.record_failure(self.user)


class ConfirmForm(PasswordForm, library.VerifyForm):
    LABELS: ClassVar = {"password": LABEL_CURRENT_PASSWORD, "submit": _("Continue")}


class ChangePasswordForm(PasswordForm, library.ChangePasswordForm):
    """Asks for the current password, except for an initial one, with which the person has just signed in."""

    LABELS: ClassVar = {
        "password": LABEL_CURRENT_PASSWORD,
        "new_password": LABEL_NEW_PASSWORD,
        "new_password_confirm": LABEL_REPEAT_PASSWORD,
        "submit": _("Change password"),
    }

    def validate(self, **options: Any) -> bool:
        if not current_user.must_change_password:
            return super().validate(**options)
        # The library's own check of this form compares the current password.
        return bool(super(library.ChangePasswordForm, self).validate(**options)) and self._is_new_password_valid()

    def _is_new_password_valid(self) -> bool:
        field, rules = self.new_password, current_app.extensions["security"].password_util
        problems, field.data = rules.validate(field.data, is_register=False, user=current_user)
        if not problems and verify_password(field.data, current_user.password):
            message, _category = MESSAGES["PASSWORD_IS_THE_SAME"]
            problems = [gettext(message)]  # with the key inside the brackets, the key would be taken for a text
        field.errors = [*field.errors, *(problems or [])]
        return not problems


class ResetPasswordForm(LabelledForm, library.ResetPasswordForm):
    LABELS: ClassVar = {
        "password": LABEL_NEW_PASSWORD,
        "password_confirm": LABEL_REPEAT_PASSWORD,
        "submit": _("Save password"),
    }


class CodeForm(LabelledForm, library.TwoFactorVerifyCodeForm):
    LABELS: ClassVar = {"code": LABEL_CODE, "submit": _("Continue")}

    def validate(self, **options: Any) -> bool:
        # Apps show the digits in two groups, and people type the blank too.
        self.code.data = "".join(str(self.code.data or "").split())
        is_valid = super().validate(**options)
        if not is_valid and not self.is_setup:
            records.record_failure(self.user, Action.CODE_CHECK_FAILED)
        return is_valid


class RecoveryCodeForm(LabelledForm, library.MfRecoveryForm):
    LABELS: ClassVar = {"code": _("Recovery code"), "submit": _("Continue")}

    def validate(self, **options: Any) -> bool:
        is_valid = super().validate(**options)
        if not is_valid:
            records.record_failure(self.user, Action.CODE_CHECK_FAILED)
        return is_valid


class TwoFactorForm(library.TwoFactorSetupForm):
    """On or off depends on which of two buttons was pressed."""

    setup = HiddenField()

    def validate(self, **options: Any) -> bool:
        if not super().validate(**options):
            return False
        if self.setup.data == "disable" and two_factor_requirement.is_required():
            self.form_errors.append(gettext(two_factor_requirement.MSG_REQUIRED))
            return False
        return True


class LostPhoneForm(library.TwoFactorRescueForm):
    """Empty: people without their phone use a recovery code."""

    help_setup = RadioField(choices=[])


MESSAGES = {
    "GENERIC_AUTHN_FAILED": (N_("The e-mail address or the password is wrong."), "error"),
    "GENERIC_RECOVERY": (N_("If this address has an account, an e-mail with a link is on its way."), "info"),
    "UNAUTHENTICATED": (N_("Sign in to continue."), "info"),
    "REAUTHENTICATION_REQUIRED": (
        N_("Confirm your password before you change how you sign in."),
        "info",
    ),
    "REAUTHENTICATION_SUCCESSFUL": (N_("Password confirmed."), "success"),
    "INVALID_PASSWORD": (N_("This password is wrong. Try again."), "error"),
    "PASSWORD_NOT_PROVIDED": (N_("Enter a password."), "error"),
    "EMAIL_NOT_PROVIDED": (N_("Enter an e-mail address."), "error"),
    "INVALID_EMAIL_ADDRESS": (N_("This is not an e-mail address."), "error"),
    "PASSWORD_INVALID_LENGTH": (
        N_("Choose a password with %(length)s to 128 characters. Several words make a good password."),
        "error",
    ),
    "RETYPE_PASSWORD_MISMATCH": (N_("The two passwords are different. Enter them again."), "error"),
    "PASSWORD_IS_THE_SAME": (N_("This is your current password. Choose another one."), "error"),
    "PASSWORD_CHANGE": (
        N_("Password changed. You are signed out on all other devices."),
        "success",
    ),
    "PASSWORD_RESET_NO_LOGIN": (N_("Password saved."), "success"),
    "PASSWORD_RESET_EXPIRED": (N_("This link has expired. Ask for a new one."), "error"),
    "INVALID_RESET_PASSWORD_TOKEN": (N_("This link is incomplete, or was used already. Ask for a new one."), "error"),
    "TWO_FACTOR_INVALID_TOKEN": (N_("This code is wrong, or was used already. Wait for the next code."), "error"),
    "TWO_FACTOR_LOGIN_SUCCESSFUL": (N_("You are signed in."), "success"),
    "TWO_FACTOR_CHANGE_METHOD_SUCCESSFUL": (
        N_("Two-step sign-in is on. You will be asked for a code when you sign in."),
        "success",
    ),
    "TWO_FACTOR_DISABLED": (N_("Two-step sign-in is off. You sign in with your password only."), "success"),
    "TWO_FACTOR_PERMISSION_DENIED": (N_("Please sign in again."), "error"),
    "TWO_FACTOR_METHOD_NOT_AVAILABLE": (N_("This method is not available. Choose another one."), "error"),
    "TWO_FACTOR_SETUP_EXPIRED": (N_("The time to set this up is over. Please start again."), "error"),
    "INVALID_RECOVERY_CODE": (N_("This recovery code is wrong, or was used already. Try another one."), "error"),
    "INVALID_REDIRECT": (N_("This address belongs to another server. Open the page from the console."), "error"),
    "API_ERROR": (N_("This request is not valid. Go back and try again."), "error"),
}
"""Text and category by Flask-Security's name of the message. Translated when shown."""
