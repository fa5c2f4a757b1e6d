"""Table: the way that each organization's answers take back into Glific."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from glific_gpt.clock import now
from glific_gpt.database import Base

CONNECTION_METHODS = ("api", "signed")


class GlificConnection(Base):
    """An organization's connection to its Glific; there is one at most."""

    __tablename__ = "glific_connections"

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    api_url: Mapped[str] = mapped_column(String(300))
    """Where its Glific API lives: https://api.<shortcode>.glific.com, without a slash at the end."""
    way: Mapped[str] = mapped_column(String(6))
    """One of WAYS: the documented API with a login, or the call signed with the organization's phrase."""
    ciphertext: Mapped[str | None] = mapped_column(Text)
    """The login as JSON, encrypted for this organization; NULL for the signed call, which has none."""
    verified_at: Mapped[datetime | None]
    """When the login was last accepted, or the address of the signed call last answered; NULL when nobody asked."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
