"""Tables: organizations, the tokens that open their doors, and what the server's administrators decide for all."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import JSON, BigInteger, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from glific_gpt.clock import now
from glific_gpt.database import Base, Usd


class Organization(Base):
    """One NGO."""

    __tablename__ = "organizations"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(63), unique=True)
    """Its name in addresses: [a-z0-9-]{1,63}."""
    name: Mapped[str] = mapped_column(String(200))
    is_active: Mapped[bool] = mapped_column(default=True)
    default_model: Mapped[str | None] = mapped_column(String(200))
    """The model of a call that names none; the server's where this is empty."""
    fallback_message: Mapped[str | None] = mapped_column(String(4096))
    """What the WhatsApp user reads when a call failed."""
    glific_organization_id: Mapped[int | None] = mapped_column(BigInteger)
    """Glific's own id for it; where set, a call must carry the same."""
    require_signature: Mapped[bool] = mapped_column(default=False)
    """Whether a token alone is not enough."""
    signature_phrase: Mapped[str | None] = mapped_column(Text)
    """Ciphertext of the phrase that Glific signs with."""
    allowed_models: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """Patterns; NULL is all that the operator allows, an empty list is none."""
    contact_daily_limit: Mapped[int | None]
    """How many answered questions one contact gets in 24 hours."""
    monthly_budget_usd: Mapped[Decimal | None] = mapped_column(Usd())
    """US dollars that its calls may cost in a calendar month (UTC)."""
    created_at: Mapped[datetime] = mapped_column(default=now)


class WebhookToken(Base):
    """What a webhook node sends to be let in. Several at a time, so that they can be changed without downtime."""

    __tablename__ = "webhook_tokens"
    __table_args__ = (UniqueConstraint("organization_id", "token_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    label: Mapped[str] = mapped_column(String(100))
    token_hash: Mapped[str] = mapped_column(String(64))
    """SHA-256, in hex; the token itself is shown once and kept nowhere."""
    created_at: Mapped[datetime] = mapped_column(default=now)


class ApiToken(Base):
    """What opens the JSON API: an administrator's where it names no organization, else that organization's."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id"), index=True)
    label: Mapped[str] = mapped_column(String(100))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)


class ServerSettings(Base):
    """What administrators decide for every organization while the server runs: one row, with the id 1, or none yet."""

    __tablename__ = "server_settings"

    id: Mapped[int] = mapped_column(primary_key=True)
    allowed_models: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """Patterns; NULL is all that the environment allows, an empty list is none."""


class MonthlySpend(Base):
    """What an organization with a budget has spent in a month (UTC), with what is set aside for calls under way."""

    __tablename__ = "monthly_spend"

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    """Year and month, as in 2026-11."""
    usd: Mapped[Decimal] = mapped_column(Usd())
