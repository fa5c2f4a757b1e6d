"""Table: the credentials of organizations at providers."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from glific_gpt.clock import now
from glific_gpt.database import Base


class Credential(Base):
    """An organization's key at one provider, with the switch that makes it count."""

    __tablename__ = "credentials"
    __table_args__ = (UniqueConstraint("organization_id", "provider"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    provider: Mapped[str] = mapped_column(String(50))
    """The provider's name in the registry, such as open_ai."""
    ciphertext: Mapped[str] = mapped_column(Text)
    """The provider's secret fields as JSON, encrypted for this organization and provider."""
    last4: Mapped[str] = mapped_column(String(4))
    """The last four characters of the key, so that people can tell which one it is."""
    is_active: Mapped[bool] = mapped_column(default=True)
    verified_at: Mapped[datetime | None]
    """When the provider last accepted this key; NULL when it was saved without asking."""
    models: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """Ids of the models that the key reached when it was verified."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
