"""Roles: what a person may do in an organization, each with all that the one below may."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import JSON, BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from glific_gpt.clock import now
from glific_gpt.database import Base


class Role(StrEnum):
    """From the one that reads to the one that decides about people."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"

    def includes(self, other: "Role") -> bool:
        """Whether who has this role may do what the other may."""
        return _ORDER.index(self) >= _ORDER.index(other)


_ORDER = tuple(Role)


if TYPE_CHECKING:

    class UserMixin:
        """The library's gives every column a plain type, which a mapped column can never have."""

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
    """In small letters and without spaces around it."""
    password: Mapped[str | None] = mapped_column(String(255))
    """Argon2 hash; NULL until the person has chosen one."""
    must_change_password: Mapped[bool] = mapped_column(default=False)
    """Whether somebody else knows it, so that it opens nothing but the page where it is changed."""
    active: Mapped[bool] = mapped_column(default=True)
    """Whether the person may sign in."""
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True, default=lambda: uuid4().hex)
    """What sessions and links name the person by: a new one ends them all."""
    is_administrator: Mapped[bool] = mapped_column(default=False)
    """Administrators of the server act as owners of every organization."""
    locale: Mapped[str | None] = mapped_column(String(5))
    """The language of the pages; the browser's where this is empty."""
    tf_primary_method: Mapped[str | None] = mapped_column(String(64))
    """'authenticator' once the second factor is on."""
    tf_totp_secret: Mapped[str | None] = mapped_column(Text)
    """Ciphertext of what the authenticator app makes its codes from."""
    totp_last_counter: Mapped[int | None] = mapped_column(BigInteger)
    """The half minute of the last code that was taken: it and those before it are taken no more."""
    mf_recovery_codes: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """Ciphertexts of the recovery codes that are left."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_login_at: Mapped[datetime | None]

    @property
    def has_two_factor(self) -> bool:
        return self.tf_primary_method is not None

    def forget_second_factor(self) -> None:
        """The recovery codes too: without a second factor there is nothing for them to stand in for."""
        self.tf_primary_method = self.tf_totp_secret = self.mf_recovery_codes = None


class Membership(Base):
    """That a person belongs to an organization, and as what."""

    __tablename__ = "memberships"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(10))
    """One of Role."""
    created_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def as_role(self) -> Role:
        return Role(self.role)
