"""Table of organizations' connections to Glific."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from glific_gpt.clock import now
from glific_gpt.database import Base

CONNECTION_METHODS = ("api", "signed")


class GlificConnection(Base):
    """Connection of an organization to Glific. An organization has at most one."""

    __tablename__ = "glific_connections"

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    api_url: Mapped[str] = mapped_column(String(300))
    """Base URL of the Glific API: https://api.<shortcode>.glific.com, without a trailing slash."""
    way: Mapped[str] = mapped_column(String(6))
    """One of CONNECTION_METHODS: the documented API with a login, or calls signed with the phrase."""
    ciphertext: Mapped[str | None] = mapped_column(Text)
    """The login as JSON, encrypted for this organization; NULL for signed calls, which need none."""
    verified_at: Mapped[datetime | None]
    """Time at which Glific last accepted the login, or its address last answered; NULL if never tested."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
