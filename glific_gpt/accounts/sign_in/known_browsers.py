"""Browsers in which a person has signed in before.

The sign-in limit for an account does not apply to its known browsers, so that guessing passwords cannot lock the person
out.
"""

import hmac

from flask import Flask, Response, after_this_request, current_app, request

from glific_gpt.accounts import addresses
from glific_gpt.settings import Settings
from glific_gpt.vault import derive_key

COOKIE = "glific_gpt_known"
MAX_AGE_SECONDS = 400 * 24 * 3600
"""400 days: browsers keep no cookie for longer."""
COOKIE_NAME = "SECURITY_KNOWN_BROWSERS_COOKIE"
KEY = "SECURITY_KNOWN_BROWSERS_KEY"


def init(app: Flask, settings: Settings) -> None:
    app.config[COOKIE_NAME] = settings.cookie_name(COOKIE)
    app.config[KEY] = derive_key(settings.secret_key, "accounts:known browsers")


def mark_browser(email: str) -> None:
    """Set the cookie on the current response. The cookie gives no access: signing in still needs the password."""

    @after_this_request
    def _set_cookie(response: Response) -> Response:
        response.set_cookie(
            current_app.config[COOKIE_NAME],
            _cookie_value(email),
            max_age=MAX_AGE_SECONDS,
            path=current_app.config["SESSION_COOKIE_PATH"],
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
        return response


def is_known(email: str) -> bool:
    """Return whether the person has signed in with this browser before."""
    return hmac.compare_digest(
        request.cookies.get(current_app.config[COOKIE_NAME], "").encode(), _cookie_value(email).encode()
    )


def _cookie_value(email: str) -> str:
    return hmac.digest(current_app.config[KEY], addresses.normalize(email).encode(), "sha256").hex()
