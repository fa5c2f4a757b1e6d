"""Records of how people sign in, in the log and in the audit trail, with the address of the client.

A typed address is recorded only if an account has it: it could be a password in the wrong field.
"""

from typing import Any

import structlog
from flask import Flask, g, session
from flask_security import password_changed, password_reset, tf_disabled, tf_profile_changed, user_authenticated
from sqlalchemy.orm import Session
from werkzeug.local import LocalProxy

from glific_gpt.accounts.sign_in import known_browsers, sessions
from glific_gpt.accounts.sign_in.client_address import client_address
from glific_gpt.accounts.tables import User
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.clock import now
from glific_gpt.database import db, transaction
from glific_gpt.metrics import recording

PASSWORD_CHANGE = ["change"]
"""Flask-Security signs a person in again after a new password, by this way."""
CSRF_TOKEN = "csrf_token"  # noqa: S105 - the name of the field

log = structlog.get_logger()


def connect_signals(app: Flask) -> None:
    user_authenticated.connect(_on_signed_in, app)
    password_changed.connect(_on_password_changed, app)
    password_reset.connect(_on_password_reset, app)
    tf_profile_changed.connect(_on_two_factor_enabled, app)
    tf_disabled.connect(_on_two_factor_disabled, app)


def record_failure(user: Any, action: Action = Action.SIGN_IN_FAILED) -> None:
    """Record a wrong password or code. The user is None if no account has the typed address."""
    address = client_address()
    recording.sign_in_failed()
    log.warning("sign_in_failed", person=user and user.email, step=action.value, client=address)
    with transaction() as db_session:
        if user is None:
            trail.record(db_session, Action.UNKNOWN_SIGN_IN_FAILED, address=address)
        else:
            trail.record(db_session, action, email=user.email, address=address)


def record_sign_out(db_session: Session, user: User, *, is_everywhere: bool = False) -> None:
    """Record a sign-out, in the transaction that ends the sessions if it is everywhere."""
    address = client_address()
    log.info("sign_out_finished", person=user.email, client=address)
    action = Action.SIGNED_OUT if is_everywhere else Action.SIGNED_OUT_HERE
    trail.record(db_session, action, email=user.email, address=address)


def record_throttled() -> None:
    """Log an attempt that the limits refuse. It is not in the audit trail, which a client could fill otherwise."""
    recording.sign_in_throttled()
    log.warning("sign_in_throttled", client=client_address())


# The handlers below write in the transaction of Flask-Security's view, which commits it at its end.


def _on_signed_in(_app: Flask, user: User, authn_via: list[str] | None = None, **_extra: Any) -> None:
    person = _unwrap(user)
    session.permanent = True
    sessions.start()
    _renew_csrf_token()
    person.last_login_at = now()
    db.session.add(person)
    known_browsers.mark_browser(person.email)
    if authn_via != PASSWORD_CHANGE:
        _record(Action.SIGNED_IN, person)


def _renew_csrf_token() -> None:
    """Make forms of pages invalid that were loaded before, perhaps in a session that another person has prepared."""
    session.pop(CSRF_TOKEN, None)
    g.pop(CSRF_TOKEN, None)  # where Flask-WTF caches it for the request


def _on_password_changed(_app: Flask, user: User, **_extra: Any) -> None:
    _record_new_password(Action.PASSWORD_CHANGED, _unwrap(user))


def _on_password_reset(_app: Flask, user: User, **_extra: Any) -> None:
    g.password_reset_by = _unwrap(user)
    _record_new_password(Action.PASSWORD_RESET, _unwrap(user))


def _record_new_password(action: Action, person: User) -> None:
    person.must_change_password = False
    _record(action, person)


def _on_two_factor_enabled(_app: Flask, user: User, **_extra: Any) -> None:
    _record(Action.TWO_FACTOR_ENABLED, _unwrap(user))


def _on_two_factor_disabled(_app: Flask, user: User, **_extra: Any) -> None:
    _record(Action.TWO_FACTOR_DISABLED, _unwrap(user))


def _record(action: Action, person: User) -> None:
    address = client_address()
    log.info(
        "account_changed" if action is not Action.SIGNED_IN else "sign_in_finished",
        action=action.value,
        person=person.email,
        client=address,
    )
    g.actor = person.email
    db.session.add(person)
    trail.record(db.session(), action, email=person.email, address=address)


def _unwrap(user: Any) -> User:
    """Return the user behind Flask-Login's proxy, which some signals pass instead of the user."""
    unwrapped: User = user._get_current_object() if isinstance(user, LocalProxy) else user
    return unwrapped
