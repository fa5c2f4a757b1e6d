"""Flask-Security's access to people and their second factor, in short transactions.

Flask-Security expects a session for the whole request. SQLite has one connection for writing, so a view must not hold a
transaction open.
"""

import hmac
from typing import Any
from uuid import uuid4

from flask import abort, current_app, g
from flask_security import (
    MfRecoveryCodesUtil,
    RoleMixin,
    SQLAlchemyUserDatastore,
    Totp,
)
from passlib.exc import UsedTokenError
from sqlalchemy import or_, select, update

from glific_gpt.accounts import addresses
from glific_gpt.accounts.sign_in.client_address import client_address
from glific_gpt.accounts.tables import User
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.database import db, lock_rows, transaction
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
        stored = addresses.normalize(value) if name == "email" else value
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

    def mf_set_recovery_codes(self, user: User, rcs: list[str] | None) -> None:  # type: ignore[override]
        """Store new codes, in the transaction of the view, which commits it at its end."""
        super().mf_set_recovery_codes(user, rcs)  # type: ignore[arg-type] # see __init__
        trail.record(db.session(), Action.RECOVERY_CODES_CREATED, email=user.email, address=client_address())

    def mf_delete_recovery_code(self, user: User, idx: int) -> bool:  # type: ignore[override]
        """Delete a used code. Answers 409 if another request has used the same code in between."""
        used = (user.mf_recovery_codes or [])[idx]
        with transaction() as session:
            # Locked, because the column is one JSON list: each of two requests would restore the code of the other.
            (fresh,) = lock_rows(session, select(User).where(User.id == user.id))
            if used not in (fresh.mf_recovery_codes or []):
                abort(409)
            g.actor = fresh.email
            trail.record(session, Action.RECOVERY_CODE_USED, email=fresh.email, address=client_address())
            fresh.mf_recovery_codes = [code for code in fresh.mf_recovery_codes or [] if code != used]
        return True


class SingleUseTotp(Totp):
    """Stores the 30-second counter of the last code, and refuses codes of it and of earlier counters."""

    def get_last_counter(self, user: User) -> int | None:  # type: ignore[override]
        return user.totp_last_counter

    def set_last_counter(self, user: User, tmatch: Any) -> None:  # type: ignore[override]
        """Raises UsedTokenError if another request has used the same code in between."""
        counter = User.totp_last_counter
        newer = update(User).where(User.id == user.id, or_(counter.is_(None), counter < tmatch.counter))
        with transaction() as session:
            taken = session.execute(newer.values(totp_last_counter=tmatch.counter).returning(User.id)).first()
        if taken is None:
            raise UsedTokenError


class HashedRecoveryCodes(MfRecoveryCodesUtil):
    """Stores recovery codes as HMACs, so that they are shown once only."""

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self._key: bytes = app.config["SECURITY_RECOVERY_CODES_KEY"]

    def get_recovery_codes(self, user: Any) -> list[str]:
        return []  # codes cannot be read back from their HMACs

    def check_recovery_code(self, user: User, code: str) -> bool:  # type: ignore[override]
        return self._digest(code) in (user.mf_recovery_codes or [])

    def delete_recovery_code(self, user: User, code: str) -> bool:  # type: ignore[override]
        index = (user.mf_recovery_codes or []).index(self._digest(code))
        return bool(current_app.extensions["security"].datastore.mf_delete_recovery_code(user, index))

    def _encrypt_codes(self, codes: list[str]) -> list[str]:
        return [self._digest(code) for code in codes]

    def _digest(self, code: str) -> str:
        return hmac.digest(self._key, code.strip().lower().encode(), "sha256").hex()
