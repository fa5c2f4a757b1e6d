"""Table of organizations' credentials at providers."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from glific_gpt.clock import now
from glific_gpt.database import Base


class Credential(Base):
    """An organization's key at one provider, with its switch."""

    __tablename__ = "credentials"
    __table_args__ = (UniqueConstraint("organization_id", "provider"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    provider: Mapped[str] = mapped_column(String(50))
    """Name of the provider, such as open_ai."""
    ciphertext: Mapped[str] = mapped_column(Text)
    """The provider's secret fields as JSON, encrypted for this organization and provider."""
    base_url: Mapped[str | None] = mapped_column(String(300))
    """The address to which the key is sent; NULL is the server's own. A copy for pages: the address that counts is
    encrypted with the key."""
    last4: Mapped[str] = mapped_column(String(4))
    """Last four characters of the key, by which users recognize it."""
    is_active: Mapped[bool] = mapped_column(default=True)
    verified_at: Mapped[datetime | None]
    """Time at which the provider last accepted this key; NULL if it was saved without a check."""
    # none_as_null: SQLAlchemy would otherwise store None as the JSON value null, which IS NULL does not find.
    models: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """Ids of the models that the key could use at that time."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
