"""How the library reads and writes people: in short transactions of their own, so that no view holds one open."""

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

OVERTAKEN = N_("A password was chosen for this account at the same moment, so yours is not saved.")


class NoRole(RoleMixin):
    """The library's roles are the same everywhere; ours are memberships, so it is given none."""


class Datastore(SQLAlchemyUserDatastore):
    """People come out detached, and are attached again only from `put` to `commit`."""

    def __init__(self) -> None:
        super().__init__(db, User, NoRole)  # type: ignore[arg-type] # its mixin is ours at run time (tables.py)

    def find_user(self, case_insensitive: bool = False, **wanted: Any) -> User | None:  # type: ignore[override] # noqa: FBT001, FBT002
        ((name, value),) = wanted.items()
        known = people.normal(value) if name == "email" else value
        with transaction() as session:
            return session.scalar(select(User).where(getattr(User, name) == known))

    def commit(self) -> None:
        try:
            db.session.commit()
        finally:
            db.session.remove()

    def set_uniquifier(self, user: User, uniquifier: str | None = None) -> None:  # type: ignore[override]
        """For a new password; whoever comes second with the same link or session is told so. Raises Conflict."""
        new = uniquifier or uuid4().hex
        unchanged = update(User).where(User.id == user.id, User.fs_uniquifier == user.fs_uniquifier)
        # In the transaction that the view commits at its end, with the password.
        if not db.session.execute(unchanged.values(fs_uniquifier=new).returning(User.id)).first():
            db.session.remove()
            raise Conflict(OVERTAKEN)
        user.fs_uniquifier = new
        db.session.add(user)

    def tf_reset(self, user: User) -> None:  # type: ignore[override]
        user.forget_second_factor()
        db.session.add(user)

    def mf_delete_recovery_code(self, user: User, idx: int) -> bool:  # type: ignore[override]
        """A page says so when the same code was used by another request in between."""
        used = (user.mf_recovery_codes or [])[idx]
        with transaction() as session:
            fresh = session.get_one(User, user.id, with_for_update=True)
            if used not in (fresh.mf_recovery_codes or []):
                abort(409)
            fresh.mf_recovery_codes = [code for code in fresh.mf_recovery_codes or [] if code != used]
        return True


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
