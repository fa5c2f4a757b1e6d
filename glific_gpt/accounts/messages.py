"""What the library says, in our words. They are in the catalogue and translated when they are said."""


def _(text: str) -> str:
    """Marks a text for the catalogue."""
    return text


MESSAGES = {
    "GENERIC_AUTHN_FAILED": (_("The e-mail address or the password is wrong."), "error"),
    "GENERIC_RECOVERY": (_("If there is an account with this address, an e-mail with a link is on its way."), "info"),
    "PASSWORD_RESET_REQUEST": (
        _("If there is an account with this address, an e-mail with a link is on its way."),
        "info",
    ),
    "UNAUTHENTICATED": (_("Please sign in first."), "info"),
    "REAUTHENTICATION_REQUIRED": (
        _("Please give your password once more, because this changes how you sign in."),
        "info",
    ),
    "REAUTHENTICATION_SUCCESSFUL": (_("Thank you. You can go on."), "success"),
    "INVALID_PASSWORD": (_("This password is wrong."), "error"),
    "PASSWORD_NOT_PROVIDED": (_("Please give a password."), "error"),
    "EMAIL_NOT_PROVIDED": (_("Please give an e-mail address."), "error"),
    "INVALID_EMAIL_ADDRESS": (_("This is not an e-mail address."), "error"),
    "PASSWORD_INVALID_LENGTH": (
        _("A password has %(length)s to 128 characters. Several words make a good one."),
        "error",
    ),
    "RETYPE_PASSWORD_MISMATCH": (_("The two passwords are not the same."), "error"),
    "PASSWORD_IS_THE_SAME": (_("This is the password that you have now. Choose another one."), "error"),
    "PASSWORD_CHANGE": (
        _("Your password is changed. Wherever else you were signed in, you are signed out."),
        "success",
    ),
    "PASSWORD_RESET_NO_LOGIN": (_("Your password is saved. Sign in with it."), "success"),
    "PASSWORD_RESET_EXPIRED": (_("This link is too old. Ask for a new one."), "error"),
    "INVALID_RESET_PASSWORD_TOKEN": (_("This link was used already or is not complete. Ask for a new one."), "error"),
    "TWO_FACTOR_INVALID_TOKEN": (_("This code is wrong or was used already. Wait for the next one."), "error"),
    "TWO_FACTOR_LOGIN_SUCCESSFUL": (_("You are signed in."), "success"),
    "TWO_FACTOR_CHANGE_METHOD_SUCCESSFUL": (_("From now on you also give a code when you sign in."), "success"),
    "TWO_FACTOR_DISABLED": (_("From now on your password alone is enough to sign in."), "success"),
    "TWO_FACTOR_PERMISSION_DENIED": (_("Please sign in from the start."), "error"),
    "TWO_FACTOR_METHOD_NOT_AVAILABLE": (_("This cannot be chosen."), "error"),
    "TWO_FACTOR_SETUP_EXPIRED": (_("That took too long. Please start again."), "error"),
    "INVALID_RECOVERY_CODE": (_("This recovery code is wrong or was used already."), "error"),
    "INVALID_REDIRECT": (_("This address leads somewhere else."), "error"),
    "API_ERROR": (_("This cannot be taken."), "error"),
}
"""By the name that the library gives each, with what kind of message it is."""
