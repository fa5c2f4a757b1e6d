"""The rows of deliveries, from the question to Glific's last response."""

import json
from datetime import datetime, timedelta
from typing import cast

from pydantic import JsonValue
from sqlalchemy import Table, func, or_, select, update
from sqlalchemy.orm import Session

from glific_gpt.calls.context import CallContext
from glific_gpt.calls.execution import Outcome, fallback_text
from glific_gpt.calls.tables import FAILED_DELIVERY_STATES, HAS_CONTENT, Call, Delivery
from glific_gpt.clock import now
from glific_gpt.database import BATCH_SIZE, Statement
from glific_gpt.functions.contract import FunctionBody
from glific_gpt.organizations.tables import Organization
from glific_gpt.vault import Vault

INSERT_DELIVERY = cast("Table", Delivery.__table__).insert().inline()

QUESTION_PURPOSE = "delivery_question"
ANSWER_PURPOSE = "delivery_answer"
"""Purposes of the two ciphertexts, for the vault."""

FALLBACK_KEY = "parsed_msg"
"""Key of an error's fallback message."""

UNDELIVERED_RETENTION = timedelta(hours=24)
"""How long an undelivered answer is kept, so that it can be retried."""

UNKNOWN_WAIT = timedelta(hours=1)
"""How long a flow is assumed to wait if its call did not say.

A restored backup has answers that flows got long ago. These flows may wait for something else now.
"""

LONGEST_KEY_WAIT_SECONDS = 30.0

NO_CONTENT = {"question": None, "answer": None, "stored_bytes": 0}
"""Values that delete the content of a delivery."""


def insert_statement(vault: Vault, context: CallContext, body: FunctionBody, asked_at: datetime | None) -> Statement:
    """Insert the delivery of a call. Its caller gets the reply that the answer is pending."""
    accepted_at = now()
    question = vault.encrypt(context.organization_id, QUESTION_PURPOSE, body.dump_for_storage())
    return INSERT_DELIVERY, {
        "call_id": context.call_id,
        "organization_id": context.organization_id,
        "glific_organization_id": body.organization_id,
        "result_name": body.result_name,
        "accepted_at": accepted_at,
        "waited_until": accepted_at + timedelta(seconds=body.wait_seconds) if body.wait_seconds else None,
        "asked_at": asked_at,
        "question": question,
        "stored_bytes": len(question),
        "state": "waiting",
    }


def find(session: Session, call_id: str) -> tuple[Delivery, Call] | None:
    """Return a delivery with its call; None if there is none."""
    query = select(Delivery, Call).join(Call, Call.call_id == Delivery.call_id).where(Delivery.call_id == call_id)
    row = session.execute(query).one_or_none()
    return (row[0], row[1]) if row else None


def is_expected(delivery: Delivery, call: Call) -> bool:
    """Return whether the flow waits for the answer. False if the caller got an error instead of the pending reply."""
    return delivery.state == "waiting" and call.status == "pending"


def remaining_wait_seconds(delivery: Delivery, limit: float) -> float:
    """Return how long the flow still waits, at most `limit`; zero if it has stopped waiting."""
    return min(limit, max(0.0, (_waits_until(delivery) - now()).total_seconds()))


def _waits_until(delivery: Delivery) -> datetime:
    if delivery.waited_until is not None:
        return delivery.waited_until
    since = delivery.delivering_since
    # The delivery begins at the moment of the answer, unless an administrator has retried it before or after.
    was_retried = since is not None and since != delivery.answered_at
    return (since if since and was_retried else delivery.accepted_at) + UNKNOWN_WAIT


def key_wait_seconds(delivery: Delivery) -> float | None:
    """Return the seconds until a process tries again to read the delivery's secrets, whose key this one lacks.

    The time grows with the age of the delivery. None if the flow has stopped waiting.
    """
    if not remaining_wait_seconds(delivery, 1.0):
        return None
    age = (now() - (delivery.delivering_since or delivery.accepted_at)).total_seconds()
    return min(LONGEST_KEY_WAIT_SECONDS, max(1.0, age / 4))


def mark_asked(session: Session, call_id: str) -> None:
    """Record that OpenAI is asked now."""
    session.execute(update(Delivery).where(Delivery.call_id == call_id).values(asked_at=now()))


def encrypt_answer(vault: Vault, context: CallContext, outcome: Outcome) -> str:
    """Encrypt the result for the flow. An error is stored without the fallback message, which can be long."""
    stored = dict(outcome.body)
    if outcome.body["success"] is False:
        del stored[FALLBACK_KEY]
        # In place of the message: reading adds the current one under both keys.
        stored |= {context.answer_key: None} if context.answer_key else {}
    return vault.encrypt(context.organization_id, ANSWER_PURPOSE, json.dumps(stored, ensure_ascii=False))


def store_answer(session: Session, call_id: str, ciphertext: str) -> bool:
    """Store the answer and delete the question. Return False if there was an answer already."""
    # The step can be repeated after a crash, and must not replace an answer that is being delivered.
    unanswered = update(Delivery).where(Delivery.call_id == call_id, Delivery.answered_at.is_(None))
    at = now()
    # The time of a retry is kept: it says how long the flow is assumed to wait.
    since = func.coalesce(Delivery.delivering_since, at)
    values = {
        "answered_at": at,
        "delivering_since": since,
        "answer": ciphertext,
        "question": None,
        "stored_bytes": len(ciphertext),
    }
    return session.scalar(unanswered.values(values).returning(Delivery.call_id)) is not None


def read_answer(session: Session, vault: Vault, delivery: Delivery) -> dict[str, JsonValue]:
    """Return the result for the flow, an error with the organization's current fallback message. Raises NotReady."""
    plain = vault.decrypt(delivery.organization_id, ANSWER_PURPOSE, delivery.answer or "")
    answer: dict[str, JsonValue] = json.loads(plain)
    if FALLBACK_KEY not in answer:
        message = fallback_text(session.get_one(Organization, delivery.organization_id).fallback_message)
        answer |= {key: message for key, value in answer.items() if value is None} | {FALLBACK_KEY: message}
    return answer


def has_content(delivery: Delivery) -> bool:
    """Return whether the question or the answer is still stored, so that the delivery can be retried."""
    return delivery.question is not None or delivery.answer is not None


def mark_failed(delivery: Delivery, reason: str) -> None:
    """End a delivery as undelivered, or as uncertain if an attempt may have succeeded."""
    delivery.state = "uncertain" if delivery.possibly_delivered else "undelivered"
    delivery.last_response, delivery.ended_at = reason, now()


def purge(session: Session) -> int:
    """Delete the content of failed deliveries that are too old to be retried: a batch of them. Returns their number."""
    expired = (Delivery.state.in_(FAILED_DELIVERY_STATES), Delivery.ended_at < now() - UNDELIVERED_RETENTION)
    is_stored = or_(Delivery.answer.is_not(None), Delivery.question.is_not(None))
    # A locked row is being retried, deleted or re-encrypted.
    found = select(Delivery.call_id).where(*expired, is_stored).limit(BATCH_SIZE).with_for_update(skip_locked=True)
    ids = session.scalars(found).all()
    session.execute(update(Delivery).where(Delivery.call_id.in_(ids), *expired).values(NO_CONTENT))
    return len(ids)


def mark_delivered(delivery: Delivery) -> None:
    """End a delivery because its flow has the answer, and delete the answer."""
    delivery.state, delivery.ended_at = "delivered", now()
    delivery.answer, delivery.stored_bytes = None, 0


def delete_oldest_failed(session: Session, organization_id: int, count: int) -> tuple[int, int]:
    """Delete the content of the deliveries of an organization that failed first. Returns their number and bytes."""
    # A locked row is being retried, deleted or re-encrypted. To wait for it could lead to a deadlock.
    oldest = (
        select(Delivery.call_id, Delivery.stored_bytes)
        .where(Delivery.organization_id == organization_id, Delivery.state.in_(FAILED_DELIVERY_STATES), HAS_CONTENT)
        .order_by(Delivery.ended_at)
        .limit(count)
        .with_for_update(skip_locked=True)
    )
    rows = session.execute(oldest).all()
    ids = [row.call_id for row in rows]
    session.execute(update(Delivery).where(Delivery.call_id.in_(ids)).values(NO_CONTENT))
    return len(rows), sum(row.stored_bytes for row in rows)
