"""Tables: one row for each call, stored answers for repeated calls, deliveries to waiting flows, and daily totals."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, SmallInteger, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from glific_gpt.database import Base, RowId, Usd

CALL_ID = r"^call_[0-9a-f]{1,35}$"
"""Format of a call's id."""

STATUSES = ("started", "pending", "ok", "error", "interrupted")

FAILED_DELIVERY_STATES = ("undelivered", "uncertain")
"""States of a failed delivery; also the call's error_code, unless the call itself failed."""

DELIVERY_STATES = ("waiting", "delivered", *FAILED_DELIVERY_STATES)
"""Uncertain: an attempt was cut off, and afterwards no flow was waiting any more."""

HAS_CONTENT = text("stored_bytes > 0")
"""Condition of the index of stored content. SQLite uses the index only for a query with the same literal."""


class Call(Base):
    """One call of one function. It holds neither question nor answer, nor personal data of the contact."""

    __tablename__ = "calls"
    __table_args__ = (
        # For the pages of calls, the reports, the daily limit of contacts, and `mark_interrupted`, in this order.
        Index("ix_calls_organization_id_id", "organization_id", "id"),
        Index("ix_calls_organization_id_started_at", "organization_id", "started_at"),
        Index("ix_calls_contact_limit", "organization_id", "contact_id", "status", "started_at"),
        Index("ix_calls_status_give_up_at", "status", "give_up_at"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    call_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    function: Mapped[str] = mapped_column(String(63))
    mode: Mapped[str | None] = mapped_column(String(5))
    """sync, async or auto. NULL for another mode, and for calls of a release that did not record it."""
    model_asked: Mapped[str | None] = mapped_column(String(200))
    """The model that the call asked for."""
    model_used: Mapped[str | None] = mapped_column(String(200))
    """The model that answered, according to OpenAI."""
    status: Mapped[str] = mapped_column(String(11))
    """One of STATUSES. Written as `started` before OpenAI is asked, so that a killed process leaves a trace."""
    error_code: Mapped[str | None] = mapped_column(String(40))
    cause: Mapped[str | None] = mapped_column(String(200))
    """Why OpenAI gave no answer, or none by the requested model, for administrators."""
    fallback_reason: Mapped[str | None] = mapped_column(String(40))
    """The error code of the requested model, if the organization's fallback model answered."""
    error_detail: Mapped[str | None] = mapped_column(String(200))
    """Names of the field and the variable at fault. Never a value."""
    is_test: Mapped[bool | None]
    """True for a test question of the console or the doctor, False for a call of a flow. NULL for calls of a release
    that did not record it."""
    started_at: Mapped[datetime]
    give_up_at: Mapped[datetime]
    """No process works on the call after this time. A row that is still `started` then was interrupted."""
    duration_ms: Mapped[int | None]
    """From the arrival of the call to its answer."""
    input_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    cost_usd: Mapped[Decimal | None] = mapped_column(Usd())
    """Cost of the tokens at OpenAI's public prices; NULL if no price is known."""
    cut_off: Mapped[bool] = mapped_column(server_default=false())
    """True if the model reached its token limit before the end of its answer."""
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    """Glific's id of the contact. NULL if the call has no contact, or if its contact is forgotten."""
    contact_forgotten: Mapped[bool] = mapped_column(server_default=false())
    """True if the contact was forgotten after the call began. A call in progress keeps the contact's id until it ends,
    because its answer needs it."""
    flow_id: Mapped[int | None] = mapped_column(BigInteger)
    """Glific's id of the flow."""


class StoredReply(Base):
    """The encrypted answer for a call that is repeated within 15 minutes; deleted afterwards."""

    __tablename__ = "stored_replies"

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the function's name and the idempotency key."""
    call_id: Mapped[str] = mapped_column(String(40))
    request_hash: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the idempotency key and the call's body."""
    status: Mapped[int | None] = mapped_column(SmallInteger)
    """HTTP status of the answer; NULL while the first call is being answered."""
    body: Mapped[str | None] = mapped_column(Text)
    """Ciphertext of the answer's JSON."""
    give_up_at: Mapped[datetime]
    """No process works on the first call after this time, so another call may take the key."""
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Delivery(Base):
    """The delivery of an answer to a waiting flow, from the question to Glific's last response.

    The question is deleted once it is answered. The answer is deleted once it is delivered, or 24 hours
    after its delivery has failed, or earlier if the organization stores too much (`waiting_limit.py`).
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("ix_deliveries_state_ended_at", "state", "ended_at"),
        # For `waiting_limit.py`, which reads nothing but this index.
        Index(
            "ix_deliveries_stored",
            "organization_id",
            "state",
            "stored_bytes",
            sqlite_where=HAS_CONTENT,
            postgresql_where=HAS_CONTENT,
        ),
    )

    call_id: Mapped[str] = mapped_column(ForeignKey("calls.call_id"), primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    glific_organization_id: Mapped[int | None] = mapped_column(BigInteger)
    """Glific's own id of the organization, from the call."""
    result_name: Mapped[str] = mapped_column(String(64))
    """The result name under which the flow reads the answer."""
    reserved_usd: Mapped[Decimal] = mapped_column(Usd(), default=Decimal(0))
    """Always zero: `budget_reservations` has taken its place. Older processes read it during an upgrade."""
    accepted_at: Mapped[datetime]
    """When the caller got the reply that the answer is pending."""
    waited_until: Mapped[datetime | None]
    """When the flow stops waiting; NULL if the call did not say."""
    question: Mapped[str | None] = mapped_column(Text)
    """Ciphertext of the function's body; NULL once it is answered."""
    asked_at: Mapped[datetime | None]
    """When OpenAI was asked, the last time if it was asked several times."""
    answered_at: Mapped[datetime | None]
    """When there was an answer or an error to deliver."""
    answer: Mapped[str | None] = mapped_column(Text)
    """Ciphertext of the flow's result; NULL once it is not needed any more."""
    state: Mapped[str] = mapped_column(String(11))
    """One of DELIVERY_STATES."""
    attempts: Mapped[int] = mapped_column(default=0)
    """Number of delivery attempts."""
    delivering_since: Mapped[datetime | None]
    """Start of the delivery; reset when an administrator retries it."""
    possibly_delivered: Mapped[bool] = mapped_column(default=False)
    """True if the result of an attempt is not known."""
    # 300 is also the limit of `DeliveryResult.message`.
    last_response: Mapped[str | None] = mapped_column(String(300))
    """Description of Glific's response to the last attempt."""
    ended_at: Mapped[datetime | None]
    """When the answer was delivered, or its delivery failed."""
    stored_bytes: Mapped[int] = mapped_column(default=0, server_default="0")
    """Size of the question, or of the answer once there is one; zero once neither is stored."""


class DailyTotals(Base):
    """Totals of the deleted calls of an organization and day (UTC) that have the other columns of the key in common."""

    __tablename__ = "daily_totals"

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    function: Mapped[str] = mapped_column(String(63), primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    """The model that the calls asked for, or OTHER_MODELS; empty if they failed before a model was chosen."""
    failure: Mapped[str] = mapped_column(String(40), primary_key=True)
    """The error code, or `interrupted`; empty for successful calls."""
    is_deferred: Mapped[bool] = mapped_column(primary_key=True)
    """True for calls whose answers were delivered later."""
    calls: Mapped[int]
    input_tokens: Mapped[int] = mapped_column(BigInteger)
    output_tokens: Mapped[int] = mapped_column(BigInteger)
    cost_usd: Mapped[Decimal] = mapped_column(Usd())
    unpriced: Mapped[int]
    """Number of calls that used tokens of an unknown price."""
    last_at: Mapped[datetime]
    """Start of the last call."""
    last_answered_at: Mapped[datetime | None]
    """Start of the last call that OpenAI answered."""
    answer_times: Mapped[dict[str, int]] = mapped_column(JSON)
    """Number of successful calls by duration, in steps of 10 ms."""
