"""Tables: people, and their memberships in organizations."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import JSON, BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from glific_gpt.clock import now
from glific_gpt.database import Base


class Role(StrEnum):
    """Roles in an organization. Each role includes the rights of the roles before it."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"

    def includes(self, other: "Role") -> bool:
        """Return whether this role has all rights of the other one."""
        return _ASCENDING.index(self) >= _ASCENDING.index(other)


_ASCENDING = tuple(Role)


if TYPE_CHECKING:

    class UserMixin:
        """For the type checker: Flask-Security's mixin declares plain types, which mapped columns are not."""

        is_authenticated: bool
        is_active: bool
        is_anonymous: bool

else:
    from flask_security import UserMixin


class User(Base, UserMixin):
    """One person."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    """In the normal form of `addresses.py`."""
    password: Mapped[str | None] = mapped_column(String(255))
    """Argon2 hash; NULL until the person has chosen a password."""
    must_change_password: Mapped[bool] = mapped_column(default=False)
    """True if another person knows the password: it only gives access to the page where it is changed."""
    active: Mapped[bool] = mapped_column(default=True)
    """False if the account is switched off."""
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True, default=lambda: uuid4().hex)
    """Identifies the person in sessions and links. A new value ends all of them."""
    is_administrator: Mapped[bool] = mapped_column(default=False)
    """Administrators of the server act as owners of every organization."""
    locale: Mapped[str | None] = mapped_column(String(5))
    """One of `locales.LOCALES`, or a language alone; NULL uses the language of the browser."""
    tf_primary_method: Mapped[str | None] = mapped_column(String(64))
    """'authenticator' if two-step sign-in is on."""
    tf_totp_secret: Mapped[str | None] = mapped_column(Text)
    """Ciphertext of the shared secret of the authenticator app."""
    totp_last_counter: Mapped[int | None] = mapped_column(BigInteger)
    """30-second counter of the last accepted code. Codes of it and of earlier counters are refused."""
    # none_as_null: SQLAlchemy would otherwise store None as the JSON value null, which IS NULL does not find.
    mf_recovery_codes: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """HMACs of the unused recovery codes."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_login_at: Mapped[datetime | None]

    @property
    def has_two_factor(self) -> bool:
        return self.tf_primary_method is not None

    def reset_two_factor(self) -> None:
        """Switch two-step sign-in off. Recovery codes are deleted too, because they replace a code of the app."""
        self.tf_primary_method = self.tf_totp_secret = self.mf_recovery_codes = None


class EndedSession(Base):
    """A session of the console that ended by signing out. Others end by their time limits or with `fs_uniquifier`."""

    __tablename__ = "ended_sessions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """The random id that the session's cookie holds. It gives no access, because cookies are signed."""
    ended_at: Mapped[datetime]


class Membership(Base):
    """The role of a person in an organization."""

    __tablename__ = "memberships"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(10))
    """One of Role."""
    created_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def as_role(self) -> Role:
        return Role(self.role)
