"""Browsers in which a person has signed in before, and the derivation of keys for such purposes.

The sign-in limit for an account does not apply to its known browsers, so that an attacker who guesses passwords cannot
lock the person out.
"""

import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Flask, Response, after_this_request, current_app, request
from pydantic import SecretStr

from glific_gpt.accounts.people import normalize_email
from glific_gpt.accounts.views import blueprint
from glific_gpt.settings import Settings


def derive_key(secret_key: SecretStr, purpose: str) -> bytes:
    """Derive a key from the server's secret key. It reveals neither the secret key nor the keys of other purposes."""
    info = f"glific_gpt:accounts:{purpose}".encode()
    return HKDF(SHA256(), length=32, salt=None, info=info).derive(secret_key.get_secret_value().encode())


COOKIE = "glific_gpt_known"
MAX_AGE_SECONDS = 400 * 24 * 3600
"""400 days: browsers keep no cookie for longer."""
KEY = "SECURITY_KNOWN_BROWSERS_KEY"


def init(app: Flask, settings: Settings) -> None:
    app.config[KEY] = derive_key(settings.secret_key, "known browsers")


def mark_browser(email: str) -> None:
    """Set the cookie on the current response. The cookie gives no access: signing in still needs the password."""

    @after_this_request
    def _set_cookie(response: Response) -> Response:
        response.set_cookie(
            COOKIE,
            _cookie_value(email),
            max_age=MAX_AGE_SECONDS,
            path=str(blueprint.url_prefix),  # only the sign-in pages read it
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
        return response


def is_known(email: str) -> bool:
    """Return whether the person has signed in with this browser before."""
    return hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), _cookie_value(email).encode())


def _cookie_value(email: str) -> str:
    return hmac.digest(current_app.config[KEY], normalize_email(email).encode(), "sha256").hex()
