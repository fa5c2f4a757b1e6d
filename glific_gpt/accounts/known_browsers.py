"""Keys for what belongs to signing in, derived from the server's secret key, one for each purpose."""

import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Flask, Response, after_this_request, current_app, request
from pydantic import SecretStr

from glific_gpt.accounts.blueprint import blueprint
from glific_gpt.accounts.people import normal
from glific_gpt.settings import Settings


def derive(secret_key: SecretStr, purpose: str) -> bytes:
    """The same at every start; it tells nothing about the secret key or about another purpose's."""
    info = f"glific_gpt:accounts:{purpose}".encode()
    return HKDF(SHA256(), length=32, salt=None, info=info).derive(secret_key.get_secret_value().encode())


COOKIE = "glific_gpt_known"
LASTS = 400 * 24 * 3600
"""Seconds; browsers keep no cookie for longer."""
KEY = "SECURITY_KNOWN_BROWSERS_KEY"


def init(app: Flask, settings: Settings) -> None:
    app.config[KEY] = derive(settings.secret_key, "known browsers")


def remember(email: str) -> None:
    """Tells the browser that is about to get its answer. It opens nothing: the password is asked for as ever."""

    @after_this_request
    def _mark(response: Response) -> Response:
        response.set_cookie(
            COOKIE,
            _mark_of(email),
            max_age=LASTS,
            path=str(blueprint.url_prefix),
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
        return response


def is_known(email: str) -> bool:
    """Whether this browser was the person's before."""
    return hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), _mark_of(email).encode())


def _mark_of(email: str) -> str:
    return hmac.digest(current_app.config[KEY], normal(email).encode(), "sha256").hex()
