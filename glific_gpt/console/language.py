"""The language of a page: the person's choice, else the browser's."""

from flask import Flask, request, session
from flask_babel import Babel
from flask_security import current_user

LANGUAGES = {"en": "English", "hi": "हिन्दी"}
COOKIE_KEY = "language"


def init(app: Flask) -> None:
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "console/translations"
    Babel(app, locale_selector=language)


def language() -> str:
    """One of LANGUAGES."""
    chosen = session.get(COOKIE_KEY) or (current_user.locale if current_user and current_user.is_authenticated else "")
    return chosen if chosen in LANGUAGES else request.accept_languages.best_match(list(LANGUAGES)) or "en"
