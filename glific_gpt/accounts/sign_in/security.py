"""Sign-in with Flask-Security: the features that we use are on, and all others off."""

from pathlib import Path
from typing import Any

from flask import Flask, Response, redirect, request, url_for
from flask_security import Security, current_user

from glific_gpt.accounts import first_administrator, password_rules
from glific_gpt.accounts.addresses import NormalizingMailUtil
from glific_gpt.accounts.passwords import LINK_LIFETIME, PUBLIC_URL, one_time_link
from glific_gpt.accounts.sign_in import (
    client_address,
    forms,
    login_throttle,
    records,
    sessions,
    two_factor_requirement,
)
from glific_gpt.accounts.sign_in.datastore import Datastore, HashedRecoveryCodes, SingleUseTotp
from glific_gpt.accounts.sign_in.forms import MESSAGES
from glific_gpt.accounts.sign_in.views import NAME, blueprint
from glific_gpt.emails import smtp
from glific_gpt.settings import Settings
from glific_gpt.vault import derive_key

__all__ = ["blueprint", "init", "one_time_link"]

ARGON2 = {"memory_cost": 46 * 1024, "time_cost": 1, "parallelism": 1}
"""One of the sufficient choices in OWASP's password storage cheat sheet.

Blocks of memory below 32 MiB would be kept by glibc for each thread, instead of being returned.
"""

LIBRARIES_WITH_HOOKS = {"flask_principal", "flask_login"}
"""Libraries that register hooks for every request, which are removed."""

ALLOWED_BEFORE_PASSWORD_CHANGE = {
    "security.change_password",
    "security.logout",
    "console.static",
    "console.set_language",
}
"""Endpoints that are open before an initial password is changed."""


def init(app: Flask, settings: Settings) -> None:
    """Set up sign-in. Raises SettingsError."""
    app.config.update(_security_config(app, settings))
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False  # each blueprint with forms checks the token itself
    # Flask-WTF would also require a Referer with the request's own host, which a proxy may have replaced.
    app.config["WTF_CSRF_SSL_STRICT"] = False
    app.config[PUBLIC_URL] = settings.public_url
    first_administrator.init(app, settings)
    app.config.update({f"SECURITY_MSG_{name}": message for name, message in MESSAGES.items()})
    provider = app.json
    security = _create_security()
    # Its blueprint has all of its views. `views.py` has those that are in use.
    security.init_app(app, Datastore(), register_blueprint=False)
    security.want_json(lambda _request: False)  # all responses are pages
    app.json = provider  # Flask-Security replaces it, without our settings
    _remove_global_hooks(app)
    security.login_manager.request_loader(None)  # it would read bodies to identify the person
    sessions.init(app, security, settings)
    client_address.init(app, settings)
    login_throttle.init(app, settings)
    records.connect_signals(app)
    for blueprint_name in (NAME, "console"):
        app.before_request_funcs.setdefault(blueprint_name, []).extend(
            (sessions.explain_end, _require_password_change, two_factor_requirement.redirect_to_setup)
        )
    app.context_processor(
        lambda: {"can_mail": smtp.is_configured(app), "is_two_factor_required": two_factor_requirement.is_required}
    )


def _create_security() -> Security:
    return Security(
        login_form=forms.SignInForm,
        verify_form=forms.ConfirmForm,
        change_password_form=forms.ChangePasswordForm,
        reset_password_form=forms.ResetPasswordForm,
        two_factor_verify_code_form=forms.CodeForm,
        two_factor_setup_form=forms.TwoFactorForm,
        two_factor_rescue_form=forms.LostPhoneForm,
        mf_recovery_form=forms.RecoveryCodeForm,
        password_util_cls=password_rules.StrictPasswordUtil,
        mail_util_cls=NormalizingMailUtil,
        totp_cls=SingleUseTotp,
        mf_recovery_codes_util_cls=HashedRecoveryCodes,
    )


def _security_config(app: Flask, settings: Settings) -> dict[str, Any]:
    key = settings.secret_key
    features = {
        "CHANGEABLE": True,
        "RECOVERABLE": True,
        "TWO_FACTOR": True,
        "TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "TWO_FACTOR_AUTHENTICATOR_VALIDITY": 30,  # seconds that the phone's clock may be wrong
        "TWO_FACTOR_RESCUE_EMAIL": False,
        "TWO_FACTOR_POST_SETUP_VIEW": f"{NAME}.two_factor_done",
        "TWO_FACTOR_IMPLEMENTATIONS": {"code": "flask_security.twofactor.CodeTfPlugin"},
        "TOTP_ISSUER": "glific_gpt",
        "TOTP_SECRETS": {"1": derive_key(key, "accounts:totp").hex()},
        "MULTI_FACTOR_RECOVERY_CODES": True,
        "MULTI_FACTOR_RECOVERY_CODES_N": 10,
        "RECOVERY_CODES_KEY": derive_key(key, "accounts:recovery codes"),
        "PASSWORD_HASH": "argon2",
        "PASSWORD_SCHEMES": ["argon2"],
        "PASSWORD_HASH_PASSLIB_OPTIONS": {f"argon2__{name}": value for name, value in ARGON2.items()},
        "PASSWORD_SINGLE_HASH": {"argon2"},  # the default adds an HMAC, so all passwords would be lost with its key
        "PASSWORD_LENGTH_MIN": password_rules.MIN_LENGTH,
        "RETURN_GENERIC_RESPONSES": True,
        "RESET_PASSWORD_WITHIN": LINK_LIFETIME,
        "FRESHNESS": sessions.FRESHNESS,
        "FRESHNESS_GRACE_PERIOD": sessions.FRESHNESS,
        "API_ENABLED_METHODS": ["session"],  # the default adds authentication tokens
        "LOGOUT_CSRF": True,  # the default accepts a request without a CSRF token
        "POST_LOGIN_VIEW": "/console/",
        "POST_LOGOUT_VIEW": f"{NAME}.login",
        "POST_CHANGE_VIEW": "/console/",
        "SEND_PASSWORD_CHANGE_EMAIL": False,
        "SEND_PASSWORD_RESET_EMAIL": False,
        "SEND_PASSWORD_RESET_NOTICE_EMAIL": False,
        "CLI_USERS_NAME": None,  # the default collides with our own group, `flask users`
        "CLI_ROLES_NAME": None,
        "I18N_DOMAIN": "messages",
        "I18N_DIRNAME": [str(Path(app.root_path) / "console" / "translations")],
    }
    return {f"SECURITY_{name}": value for name, value in features.items()}


def _remove_global_hooks(app: Flask) -> None:
    """Remove the hooks that the libraries of Flask-Security register for every request.

    They look up the signed-in person, and write a remember-me cookie, which is not used here. Webhooks have their own
    authentication. The names of the hooks are private to the libraries, so hooks are found by the library's name.
    """
    hooks: tuple[dict[Any, list[Any]], ...] = (app.before_request_funcs, app.after_request_funcs)
    for functions in hooks:
        functions[None] = [
            hook for hook in functions.get(None, []) if hook.__module__.partition(".")[0] not in LIBRARIES_WITH_HOOKS
        ]


def _require_password_change() -> Response | None:
    """Redirect a person with an initial password, which another person has seen, to the page where it is changed."""
    if (
        request.endpoint in ALLOWED_BEFORE_PASSWORD_CHANGE
        or not current_user.is_authenticated
        or not current_user.must_change_password
    ):
        return None
    return redirect(url_for(f"{NAME}.change_password"))  # type: ignore[return-value]
