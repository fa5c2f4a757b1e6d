"""Flask-Security's access to people, in short transactions, and its signals.

Flask-Security expects a session for the whole request. SQLite has one connection for writing, so a view must not hold a
transaction open.
"""

from typing import Any
from uuid import uuid4

from flask import Flask, abort, g, session
from flask_security import (
    RoleMixin,
    SQLAlchemyUserDatastore,
    password_changed,
    password_reset,
    tf_disabled,
    tf_profile_changed,
    user_authenticated,
)
from sqlalchemy import select, update
from werkzeug.local import LocalProxy

from glific_gpt.accounts import known_browsers, people
from glific_gpt.accounts.tables import User
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.clock import now
from glific_gpt.database import db, transaction
from glific_gpt.errors import N_, Conflict

MSG_PASSWORD_RACE = N_(
    "Your password was not saved, because another password was chosen for this account at the same moment. Sign in "
    "with that one, or ask for a new link."
)


class UnusedRole(RoleMixin):
    """Placeholder: Flask-Security's roles apply to the whole server, and ours to an organization."""


class Datastore(SQLAlchemyUserDatastore):
    """Returns detached people, which are attached to a session only from `put` to `commit`."""

    def __init__(self) -> None:
        super().__init__(db, User, UnusedRole)  # type: ignore[arg-type] # at run time User has the mixin (tables.py)

    def find_user(self, case_insensitive: bool = False, **criteria: Any) -> User | None:  # type: ignore[override] # noqa: FBT001, FBT002
        ((name, value),) = criteria.items()  # Flask-Security searches by one column at a time
        stored = people.normalize_email(value) if name == "email" else value
        with transaction() as session:
            return session.scalar(select(User).where(getattr(User, name) == stored))

    def commit(self) -> None:
        try:
            db.session.commit()
        finally:
            db.session.remove()

    def set_uniquifier(self, user: User, uniquifier: str | None = None) -> None:  # type: ignore[override]
        """End all sessions after a new password. Raises Conflict if another request has done so with the same link."""
        new = uniquifier or uuid4().hex
        unchanged = update(User).where(User.id == user.id, User.fs_uniquifier == user.fs_uniquifier)
        # In the transaction of the new password, which the view commits at its end.
        if not db.session.execute(unchanged.values(fs_uniquifier=new).returning(User.id)).first():
            db.session.remove()
            raise Conflict(MSG_PASSWORD_RACE)
        user.fs_uniquifier = new
        db.session.add(user)

    def tf_reset(self, user: User) -> None:  # type: ignore[override]
        user.reset_two_factor()
        db.session.add(user)

    def mf_delete_recovery_code(self, user: User, idx: int) -> bool:  # type: ignore[override]
        """Delete a used code. Answers 409 if another request has used the same code in between."""
        used = (user.mf_recovery_codes or [])[idx]
        with transaction() as session:
            # Locked, because the column is one JSON list: each of two requests would restore the code of the other.
            fresh = session.get_one(User, user.id, with_for_update=True)
            if used not in (fresh.mf_recovery_codes or []):
                abort(409)
            fresh.mf_recovery_codes = [code for code in fresh.mf_recovery_codes or [] if code != used]
        return True


# The handlers below write in the transaction of Flask-Security's view, which commits it at its end.


def connect_signals(app: Flask) -> None:
    user_authenticated.connect(_on_signed_in, app)
    password_changed.connect(_on_password_chosen, app)
    password_reset.connect(_on_password_chosen, app)
    tf_profile_changed.connect(_on_two_factor_enabled, app)
    tf_disabled.connect(_on_two_factor_disabled, app)


def _on_signed_in(_app: Flask, user: User, **_extra: Any) -> None:
    person = _unwrap(user)
    session.permanent = True
    person.last_login_at = now()
    db.session.add(person)
    known_browsers.mark_browser(person.email)


def _on_password_chosen(_app: Flask, user: User, **_extra: Any) -> None:
    person = _unwrap(user)
    person.must_change_password = False
    _record(Action.PASSWORD_CHANGED, person)


def _on_two_factor_enabled(_app: Flask, user: User, **_extra: Any) -> None:
    _record(Action.TWO_FACTOR_ENABLED, _unwrap(user))


def _on_two_factor_disabled(_app: Flask, user: User, **_extra: Any) -> None:
    _record(Action.TWO_FACTOR_DISABLED, _unwrap(user))


def _record(action: Action, person: User) -> None:
    g.actor = person.email
    db.session.add(person)
    trail.record(db.session(), action, email=person.email)


def _unwrap(user: Any) -> User:
    """Return the user behind Flask-Login's proxy, which some signals pass instead of the user."""
    unwrapped: User = user._get_current_object() if isinstance(user, LocalProxy) else user
    return unwrapped
