"""Deliveries: the rows of answers that come later, from what was asked to what Glific said."""

import json
from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import JsonValue
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from glific_gpt.calls.context import CallContext
from glific_gpt.calls.execution import Outcome
from glific_gpt.calls.tables import Call, Delivery
from glific_gpt.clock import now
from glific_gpt.functions.contract import FunctionBody
from glific_gpt.vault import Vault

QUESTION_PURPOSE = "delivery_question"
ANSWER_PURPOSE = "delivery_answer"
"""What the ciphertexts are for, for the vault."""

UNDELIVERED_RETENTION = timedelta(hours=24)
"""How long an answer that did not arrive is kept, so that it can be tried again."""


def create(
    session: Session, vault: Vault, facts: CallContext, body: FunctionBody, reserved: Decimal, asked_at: datetime | None
) -> None:
    """The delivery of a call whose caller is about to be told that the answer comes later."""
    session.flush()
    accepted_at = now()
    session.add(
        Delivery(
            call_id=facts.call_id,
            organization_id=facts.organization_id,
            glific_organization_id=body.organization_id,
            result_name=body.result_name,
            reserved_usd=reserved,
            accepted_at=accepted_at,
            waited_until=accepted_at + timedelta(seconds=body.wait_seconds) if body.wait_seconds else None,
            asked_at=asked_at,
            question=vault.encrypt(facts.organization_id, QUESTION_PURPOSE, body.model_dump_json(by_alias=True)),
            state="waiting",
        )
    )


def find(session: Session, call_id: str) -> tuple[Delivery, Call] | None:
    """A delivery and its call; None where there is none."""
    query = select(Delivery, Call).join(Call, Call.call_id == Delivery.call_id).where(Delivery.call_id == call_id)
    row = session.execute(query).one_or_none()
    return (row[0], row[1]) if row else None


def is_expected(delivery: Delivery, call: Call) -> bool:
    """Whether the flow is still to have the answer: not where its caller was told of an error after all."""
    return delivery.state == "waiting" and call.status == "pending"


def remaining_wait_seconds(delivery: Delivery, most: float) -> float:
    """How long the flow waits still, if that is less; zero when it waits no more."""
    if delivery.waited_until is None:
        return most
    return min(most, max(0.0, (delivery.waited_until - now()).total_seconds()))


def mark_asked(session: Session, call_id: str) -> None:
    session.execute(update(Delivery).where(Delivery.call_id == call_id).values(asked_at=now()))


def store_answer(session: Session, vault: Vault, facts: CallContext, outcome: Outcome) -> bool:
    """Keeps the answer for the flow, and the question no more; false when there was an answer already."""
    ciphertext = vault.encrypt(facts.organization_id, ANSWER_PURPOSE, json.dumps(outcome.body))
    first = update(Delivery).where(Delivery.call_id == facts.call_id, Delivery.answered_at.is_(None))
    values = {"answered_at": now(), "trying_since": now(), "answer": ciphertext, "question": None}
    return session.scalar(first.values(values).returning(Delivery.call_id)) is not None


def read_answer(vault: Vault, delivery: Delivery) -> dict[str, JsonValue]:
    """What the flow is to read. Raises UnreadableSecret."""
    answer: dict[str, JsonValue] = json.loads(vault.decrypt(delivery.organization_id, ANSWER_PURPOSE, delivery.answer or ""))
    return answer


def mark_failed(delivery: Delivery, said: str) -> None:
    """Its flow will not have the answer, or nobody knows whether it has."""
    delivery.state = "uncertain" if delivery.may_have_arrived else "undelivered"
    delivery.said, delivery.ended_at = said, now()


def purge(session: Session) -> None:
    """Deletes the answers that can be tried again no more, and questions that never had one."""
    too_old = (Delivery.state.in_(("undelivered", "uncertain")), Delivery.ended_at < now() - UNDELIVERED_RETENTION)
    held = or_(Delivery.answer.is_not(None), Delivery.question.is_not(None))
    session.execute(update(Delivery).where(*too_old, held).values(answer=None, question=None))
