"""Sessions: their cookie, and their time limits, after the password was entered and without activity.

The sign-in page says why a session has ended.
"""

import secrets
import time
from datetime import timedelta
from typing import Any

from flask import Flask, Request, current_app, flash, g, request, session
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_babel import gettext, ngettext
from flask_security import Security, current_user
from itsdangerous import BadData
from sqlalchemy.orm import Session
from werkzeug.http import parse_cookie

from glific_gpt.accounts import ended_sessions
from glific_gpt.database import transaction
from glific_gpt.settings import Settings

PAGES = "/console"

LIFETIME = timedelta(hours=12)
"""A session ends this long after the password was entered, even if it is in use."""
FRESHNESS = timedelta(minutes=15)
"""How long after entering the password a person may change how they sign in, export and delete data."""
COOKIE_LIFETIME = timedelta(days=7)
"""The cookie lasts longer than the session, so that the sign-in page can say why the session has ended."""
IDLE_MINUTES = "GLIFIC_GPT_IDLE_TIMEOUT_MINUTES"
PERSON = "_user_id"
"""Key of the session: Flask-Login's name for the person."""
SESSION_ID = "session_id"
"""Key of the session: its random id, which is recorded when the person signs out."""
LAST_SEEN = "last_seen"
"""Key of the session: the time of the last request."""
PASSWORD_ENTERED = "fs_paa"  # noqa: S105 - Flask-Security's time of the last password entry
BACKGROUND_HEADER = "X-Background-Request"
"""Header of requests that a page sends by itself, which do not count as activity."""
END_REASON = "session_end_reason"
FIRST_STEP_AT = "first_step_at"
"""Key of the session: when the password was entered, if the code is missing."""
SECOND_STEP_KEYS = ("tf_state", "tf_user_id", "tf_primary_method", "tf_totp_secret", FIRST_STEP_AT)
"""Keys of the session: Flask-Security's state between the password and the code, and while a secret is set up."""
SECOND_STEP_LIFETIME = timedelta(minutes=15)
"""How long after the password the code is accepted. The cookie itself is valid for days."""


def init(app: Flask, security: Security, settings: Settings) -> None:
    app.config.update(
        PERMANENT_SESSION_LIFETIME=COOKIE_LIFETIME,
        SESSION_COOKIE_NAME=settings.cookie_name("glific_gpt_session"),
        SESSION_COOKIE_PATH="/" if settings.is_https() else PAGES,  # the prefix __Host- needs the path `/`
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_https(),
    )
    app.config[IDLE_MINUTES] = settings.idle_timeout_minutes
    app.session_interface = LazySessions()
    # Private, because Flask-Login has no way to read the loader that Flask-Security has set.
    find = security.login_manager._user_callback

    def find_unless_ended(user_id: str) -> Any:
        reason = _end_reason()
        if reason is None and _is_signed_out():
            reason = _describe_sign_out
        if reason is None:
            _note_activity()
            user = find(user_id)
            if user is not None:
                return user
            reason = _describe_sign_out
        setattr(g, END_REASON, reason)
        _forget_user()
        return None

    security.login_manager.user_loader(find_unless_ended)


class LazySessions(SecureCookieSessionInterface):
    """Like Flask's, but a request without the cookie does not derive the key for reading it."""

    def open_session(self, app: Flask, request: Request) -> SessionMixin | None:  # type: ignore[override]
        # Webhooks and the JSON API have no session, even if a browser sends the cookie there.
        if not request.path.startswith(PAGES) or self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)


class PersonCookies:
    """Checks by the cookie alone, without the database, whether a request may be from a person who is signed in.

    This gives no access: each page reads the session and the person again.
    """

    def __init__(self, app: Flask) -> None:
        serializer = SecureCookieSessionInterface().get_signing_serializer(app)
        if serializer is None:  # the settings require a secret key
            raise RuntimeError("no secret key")
        self._serializer = serializer
        self._name = app.config["SESSION_COOKIE_NAME"]
        self._max_age = int(COOKIE_LIFETIME.total_seconds())

    def has_person(self, environ: dict[str, Any]) -> bool:
        """Return whether the WSGI environ has a cookie of ours that names a person."""
        cookie = parse_cookie(environ).get(self._name) if "HTTP_COOKIE" in environ else None
        if cookie is None:
            return False
        try:
            return PERSON in self._serializer.loads(cookie, max_age=self._max_age)
        except BadData:
            return False


def explain_end() -> None:
    """Show why the session has ended, on the sign-in page to which this request leads."""
    # The text needs the language of the page, which depends on the user, so it is not made while the user is loaded.
    if not current_user.is_authenticated and (reason := g.pop(END_REASON, None)):
        flash(reason(), "info")


def is_fresh() -> bool:
    """Return whether the person has entered the password a short time ago."""
    age: float = time.time() - session.get(PASSWORD_ENTERED, 0)
    return age < FRESHNESS.total_seconds()


def start() -> None:
    """Give the session of a person who signs in its id, and start its time limits."""
    forget_second_step()
    session[SESSION_ID] = secrets.token_hex(16)
    _note_time()


def note_first_step() -> None:
    """Start the time limit of the second step, if the account needs one after the password."""
    if session.get("tf_state") == "ready":
        session[FIRST_STEP_AT] = int(time.time())


def is_second_step_open() -> bool:
    """Return whether the password of an account with a second factor was entered a short time ago."""
    age: float = time.time() - session.get(FIRST_STEP_AT, 0)
    return session.get("tf_state") == "ready" and age < SECOND_STEP_LIFETIME.total_seconds()


def forget_second_step() -> None:
    """Forget a person who has not finished the second step, and a secret that is being set up.

    Flask-Security does so on its own pages only. In one session, the secret of one person would otherwise be accepted
    for another person.
    """
    for key in SECOND_STEP_KEYS:
        session.pop(key, None)


def end(db_session: Session, session_id: str | None) -> None:
    """End a session in all processes. Sessions of earlier releases have no id, and end by their time limits."""
    session.pop(SESSION_ID, None)
    if session_id is not None:
        ended_sessions.end(db_session, session_id)


def _is_signed_out() -> bool:
    session_id = session.get(SESSION_ID)
    if session_id is None:
        return False
    with transaction() as db_session:
        return ended_sessions.is_ended(db_session, session_id)


def _end_reason() -> Any:
    """Return a function that returns the reason as a sentence, or None while the session lasts."""
    entered = session.get(PASSWORD_ENTERED, 0)
    if time.time() - entered >= LIFETIME.total_seconds():
        return _describe_lifetime
    if time.time() - session.get(LAST_SEEN, entered) >= current_app.config[IDLE_MINUTES] * 60:
        return _describe_idle_time
    return None


def _note_activity() -> None:
    if BACKGROUND_HEADER not in request.headers:
        _note_time()


def _note_time() -> None:
    session[LAST_SEEN] = int(time.time())


def _forget_user() -> None:
    for key in (PERSON, "_fresh", "_id", PASSWORD_ENTERED, SESSION_ID, LAST_SEEN):
        session.pop(key, None)
    forget_second_step()


def _describe_sign_out() -> str:
    """Describe the end of all sessions of a person, on another device or by another person."""
    text: str = gettext(
        "Your session was ended: you signed out somewhere else, or your account was changed. Sign in again."
    )
    return text


def _describe_lifetime() -> str:
    hours = int(LIFETIME.total_seconds() // 3600)
    text: str = ngettext(
        "You were signed out %(num)s hour after you entered your password. Sign in again.",
        "You were signed out %(num)s hours after you entered your password. Sign in again.",
        hours,
    )
    return text


def _describe_idle_time() -> str:
    minutes: int = current_app.config[IDLE_MINUTES]
    if minutes % 60 == 0:
        hours: str = ngettext(
            "You were signed out after %(num)s hour without activity. Sign in again.",
            "You were signed out after %(num)s hours without activity. Sign in again.",
            minutes // 60,
        )
        return hours
    text: str = ngettext(
        "You were signed out after %(num)s minute without activity. Sign in again.",
        "You were signed out after %(num)s minutes without activity. Sign in again.",
        minutes,
    )
    return text
