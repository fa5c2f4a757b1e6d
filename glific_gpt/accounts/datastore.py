"""How the library reads and writes people: in short transactions of their own, so that no view holds one open."""

from typing import Any
from uuid import uuid4

from flask import abort
from flask_security import RoleMixin, SQLAlchemyUserDatastore
from sqlalchemy import select, update

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import User
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
