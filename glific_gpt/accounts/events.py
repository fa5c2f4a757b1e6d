"""What follows when somebody signs in or changes how: the audit trail, and flags that are over."""

from typing import Any

from flask import Flask, g, session
from flask_security import password_changed, password_reset, tf_disabled, tf_profile_changed, user_authenticated
from werkzeug.local import LocalProxy

from glific_gpt.accounts import known_browsers
from glific_gpt.accounts.tables import User
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.clock import now
from glific_gpt.database import db

# Everything here joins what the library's view has begun, and is committed with it at the view's end.


def init(app: Flask) -> None:
    user_authenticated.connect(_signed_in, app)
    password_changed.connect(_password_chosen, app)
    password_reset.connect(_password_chosen, app)
    tf_profile_changed.connect(_two_factor_on, app)
    tf_disabled.connect(_two_factor_off, app)


def _signed_in(_app: Flask, user: User, **_more: Any) -> None:
    person = _real(user)
    session.permanent = True
    person.last_login_at = now()
    db.session.add(person)
    known_browsers.remember(person.email)


def _password_chosen(_app: Flask, user: User, **_more: Any) -> None:
    person = _real(user)
    person.must_change_password = False
    _record(Action.PASSWORD_CHANGED, person)


def _two_factor_on(_app: Flask, user: User, **_more: Any) -> None:
    _record(Action.TWO_FACTOR_ENABLED, _real(user))


def _two_factor_off(_app: Flask, user: User, **_more: Any) -> None:
    _record(Action.TWO_FACTOR_DISABLED, _real(user))


def _record(action: Action, person: User) -> None:
    g.actor = person.email
    db.session.add(person)
    trail.record(db.session(), action, email=person.email)


def _real(user: Any) -> User:
    """The library passes its proxy of who is signed in, or the person."""
    found: User = user._get_current_object() if isinstance(user, LocalProxy) else user
    return found
