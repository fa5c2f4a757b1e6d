"""Browsers in which somebody has signed in: strangers who guess at an account do not lock its person out of them."""

import hmac

from flask import Flask, Response, after_this_request, current_app, request

from glific_gpt.accounts.blueprint import blueprint
from glific_gpt.accounts.keys import derive
from glific_gpt.accounts.people import normal
from glific_gpt.settings import Settings

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
