"""Tables: one row for each call, the answers that a repeated call gets, and those on their way to a waiting flow."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, ForeignKey, Index, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from glific_gpt.database import Base, RowId, Usd

CALL_ID = r"^call_[0-9a-f]{1,35}$"
"""What an id of a call looks like."""

STATUSES = ("started", "pending", "ok", "error", "interrupted")

DELIVERY_STATES = ("waiting", "delivered", "undelivered", "uncertain")
"""Uncertain: a try was cut off, and afterwards no flow was waiting any more."""


class Call(Base):
    """One call of one function. Neither the question nor the answer is in it, nor anything else about the contact."""

    __tablename__ = "calls"
    __table_args__ = (
        Index("ix_calls_organization_id_id", "organization_id", "id"),
        Index("ix_calls_organization_id_started_at", "organization_id", "started_at"),
        Index("ix_calls_organization_id_contact_id_started_at", "organization_id", "contact_id", "started_at"),
        Index("ix_calls_status_give_up_at", "status", "give_up_at"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    call_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    function: Mapped[str] = mapped_column(String(63))
    model_asked: Mapped[str | None] = mapped_column(String(200))
    """The model that the call was to use."""
    model_used: Mapped[str | None] = mapped_column(String(200))
    """The model that OpenAI says it used."""
    status: Mapped[str] = mapped_column(String(11))
    """One of STATUSES; written as started before OpenAI is asked, so that a killed process leaves a trace."""
    error_code: Mapped[str | None] = mapped_column(String(40))
    started_at: Mapped[datetime]
    give_up_at: Mapped[datetime]
    """After this nobody works on the call any more: a row that is still started then was interrupted."""
    duration_ms: Mapped[int | None]
    """From the arrival of the call to its answer."""
    input_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    cost_usd: Mapped[Decimal | None] = mapped_column(Usd())
    """What OpenAI charges for the tokens, by its public prices; NULL where no price is known."""
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    """Glific's id of the contact."""
    flow_id: Mapped[int | None] = mapped_column(BigInteger)
    """Glific's id of the flow."""


class StoredReply(Base):
    """The answer that the same call gets when it comes again within a quarter of an hour; encrypted, then deleted."""

    __tablename__ = "stored_replies"

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the function's name and the caller's key."""
    call_id: Mapped[str] = mapped_column(String(40))
    status: Mapped[int | None] = mapped_column(SmallInteger)
    """The HTTP status of the answer; NULL while the first call is being answered."""
    body: Mapped[str | None] = mapped_column(Text)
    """Ciphertext of the answer's JSON."""
    give_up_at: Mapped[datetime]
    """After this the first call is not being answered any more."""
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Delivery(Base):
    """The way of an answer that outlasted its call, from what was asked to the flow that waits for it.

    What was asked is gone once it is answered, and the answer once it has arrived or can be had no more.
    """

    __tablename__ = "deliveries"
    __table_args__ = (Index("ix_deliveries_state_ended_at", "state", "ended_at"),)

    call_id: Mapped[str] = mapped_column(ForeignKey("calls.call_id"), primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    glific_organization_id: Mapped[int | None] = mapped_column(BigInteger)
    """Glific's own id of the organization, from the call."""
    result_name: Mapped[str] = mapped_column(String(64))
    """Under what the flow reads the answer."""
    reserved_usd: Mapped[Decimal] = mapped_column(Usd())
    """What of the budget was set aside for the call."""
    accepted_at: Mapped[datetime]
    """When the caller was told that the answer comes later."""
    waited_until: Mapped[datetime | None]
    """When the flow stops waiting; NULL where it did not say."""
    question: Mapped[str | None] = mapped_column(Text)
    """Ciphertext of the function's body; NULL once it is answered."""
    asked_at: Mapped[datetime | None]
    """When OpenAI was asked, the last time if there were several."""
    answered_at: Mapped[datetime | None]
    """When there was an answer to deliver, good or bad."""
    answer: Mapped[str | None] = mapped_column(Text)
    """Ciphertext of what the flow is to read; NULL once it is not needed any more."""
    state: Mapped[str] = mapped_column(String(11))
    """One of DELIVERY_STATES."""
    tries: Mapped[int] = mapped_column(default=0)
    """How often Glific was told."""
    trying_since: Mapped[datetime | None]
    """Since when Glific is being told; anew when an administrator has it tried again."""
    may_have_arrived: Mapped[bool] = mapped_column(default=False)
    """Whether a try was begun of which nobody knows how it ended."""
    said: Mapped[str | None] = mapped_column(String(300))
    """What Glific said to the last try."""
    ended_at: Mapped[datetime | None]
    """When it arrived, or was given up."""
