"""Tables of organizations, their tokens and monthly spend, and the server-wide settings."""

import secrets
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import JSON, BigInteger, ForeignKey, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from glific_gpt.clock import now
from glific_gpt.database import Base, Usd

MAX_ID = 2**30
"""So that an older release, which counts on from the greatest id, has as many left."""


def _new_id() -> int:
    """Return a random id, which no organization has had before.

    SQLite gives the greatest id again after its organization was deleted. The keys of secrets are derived from ids, and
    processes count calls by them, so the next organization could read old ciphertexts and would continue old counts.
    """
    return 1 + secrets.randbelow(MAX_ID)


DEFAULT_MEMORY_HOURS = 24
"""As long as WhatsApp lets an organization answer a contact without a template."""


class Organization(Base):
    """One NGO."""

    __tablename__ = "organizations"

    id: Mapped[int] = mapped_column(primary_key=True, default=_new_id)
    slug: Mapped[str] = mapped_column(String(63), unique=True)
    """Name in addresses: [a-z0-9-]{1,63}, for new organizations with a letter or digit first and last."""
    name: Mapped[str] = mapped_column(String(200))
    is_active: Mapped[bool] = mapped_column(default=True)
    default_model: Mapped[str | None] = mapped_column(String(200))
    """Model of calls that name none; NULL is the server's default."""
    fallback_model: Mapped[str | None] = mapped_column(String(200))
    """Model that is asked once if OpenAI does not let the model of a call answer."""
    fallback_message: Mapped[str | None] = mapped_column(String(4096))
    """Message to the WhatsApp user when a call failed."""
    glific_organization_id: Mapped[int | None] = mapped_column(BigInteger)
    """Glific's id of the organization. If set, a call must contain the same id."""
    require_signature: Mapped[bool] = mapped_column(default=False)
    """If true, a token is not enough: calls must be signed."""
    signature_phrase: Mapped[str | None] = mapped_column(Text)
    """Ciphertext of the phrase with which Glific signs."""
    allowed_models: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """Model patterns; NULL allows all models of the operator, an empty list none."""
    contact_daily_limit: Mapped[int | None]
    """Maximum number of answers for one contact in 24 hours."""
    calls_per_minute: Mapped[int | None]
    """Maximum number of calls per minute."""
    contact_calls_per_minute: Mapped[int | None]
    """Maximum number of calls per minute of one contact."""
    monthly_budget_usd: Mapped[Decimal | None] = mapped_column(Usd())
    """Maximum cost of calls in a calendar month (UTC), in US dollars."""
    vector_store_id: Mapped[str | None] = mapped_column(String(100))
    """Vector store at OpenAI that calls search if they name none."""
    memory_hours: Mapped[int | None]
    """Hours after its last answer in which a conversation can be continued; NULL is DEFAULT_MEMORY_HOURS."""
    fetch_images: Mapped[bool] = mapped_column(default=False, server_default=false())
    """If true, this server downloads the images of calls and sends their bytes. OpenAI does it otherwise."""
    alert_email: Mapped[str | None] = mapped_column(String(255))
    """Address that gets alerts beside the owners."""
    time_zone: Mapped[str | None] = mapped_column(String(64))
    """IANA name of the time zone of reports; NULL is UTC."""
    created_at: Mapped[datetime] = mapped_column(default=now)


class WebhookToken(Base):
    """Token of webhook nodes. An organization can have several, so that they can be rotated without downtime."""

    __tablename__ = "webhook_tokens"
    __table_args__ = (UniqueConstraint("organization_id", "token_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    label: Mapped[str] = mapped_column(String(100))
    token_hash: Mapped[str] = mapped_column(String(64))
    """SHA-256 in hex. The token itself is shown once and not stored."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_used_on: Mapped[date | None]
    """The last day (UTC) on which the token was used, as far as it is recorded: see `token_uses.py`."""
    uses_recorded: Mapped[bool] = mapped_column(default=True, server_default=false())
    """False for a token that may have been used before uses were recorded."""


class ApiToken(Base):
    """Token of the JSON API: an administrator's if it has no organization, else that organization's."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id"), index=True)
    label: Mapped[str] = mapped_column(String(100))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_used_on: Mapped[date | None]
    """The last day (UTC) on which the token was used, as far as it is recorded: see `token_uses.py`."""
    uses_recorded: Mapped[bool] = mapped_column(default=True, server_default=false())
    """False for a token that may have been used before uses were recorded."""


class ServerSettings(Base):
    """Settings that administrators change at run time. There is at most one row, with the id 1."""

    __tablename__ = "server_settings"

    id: Mapped[int] = mapped_column(primary_key=True)
    allowed_models: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """Model patterns; NULL allows all models of the environment, an empty list none."""
    require_two_factor: Mapped[bool] = mapped_column(default=False, server_default=false())
    """If true, everyone must set up two-step sign-in before they can use the console."""
    rupees_per_dollar: Mapped[Decimal | None] = mapped_column(Usd())
    """Indian rupees for one US dollar, in reports. Stored as exactly as an amount of dollars."""
    rupee_rate_date: Mapped[date | None]
    """The day of that rate."""


class MonthlySpend(Base):
    """Spend of an organization with a budget in a month (UTC), including amounts reserved for calls in flight."""

    __tablename__ = "monthly_spend"

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    """Year and month, such as 2026-11."""
    usd: Mapped[Decimal] = mapped_column(Usd())


class BudgetReservation(Base):
    """Money reserved for a call in progress. It is part of the month's spend, and deleted when the call ends."""

    __tablename__ = "budget_reservations"

    # Without a foreign key: a reservation whose call is gone is given back like that of any ended call.
    call_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"), index=True)
    month: Mapped[str] = mapped_column(String(7))
    """The month of the spend that includes it."""
    usd: Mapped[Decimal] = mapped_column(Usd())
