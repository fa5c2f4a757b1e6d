"""The story of one call: what happened to it and when, from its arrival to the flow that has its answer."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from glific_gpt.calls import records
from glific_gpt.calls.deferred.delivery import RETRY_UNAVAILABLE_FOR
from glific_gpt.calls.tables import CALL_ID, Call, Delivery
from glific_gpt.clock import now
from glific_gpt.database import owned
from glific_gpt.errors import Broken, CallerError, GlificGptError, NotFound, OrganizationError, ServiceError

FAILED_DELIVERY_STATES = ("undelivered", "uncertain")
"""How a delivery may end badly: its state, and the call's error_code unless the call has one of its own."""

IMMEDIATE_DELIVERY = timedelta(seconds=1)
"""Glific is told for the first time as soon as there is an answer; later than this it was an administrator's wish."""


@dataclass(frozen=True)
class CallTimeline:
    """A call, and the way of its answer if that came later."""

    call: Call
    delivery: Delivery | None

    @property
    def answered_at(self) -> datetime | None:
        """When there was an answer, good or bad."""
        if self.delivery:
            return self.delivery.answered_at
        milliseconds = self.call.duration_ms
        return None if milliseconds is None else self.call.started_at + timedelta(milliseconds=milliseconds)

    @property
    def own_error(self) -> str | None:
        """The code of what went wrong with the call itself, rather than with its delivery."""
        return None if self.call.error_code in FAILED_DELIVERY_STATES else self.call.error_code


class TimelineEvent(NamedTuple):
    """A moment, and what happened then, in words."""

    at: datetime
    what: str


def find_timeline(session: Session, organization_id: int, call_id: str) -> CallTimeline:
    """A call of that organization. Raises NotFound, for another organization's call too."""
    records.mark_interrupted(session)
    known = re.fullmatch(CALL_ID, call_id)
    call = session.scalar(owned(Call, organization_id).where(Call.call_id == call_id)) if known else None
    if call is None:
        raise NotFound("There is no call of that id.")
    return CallTimeline(call, session.get(Delivery, call_id))


def deferred_call_ids(session: Session, calls: Sequence[Call]) -> set[str]:
    """The ids of those calls whose flow waits for its answer, or has waited."""
    ids = [call.call_id for call in calls]
    return set(session.scalars(select(Delivery.call_id).where(Delivery.call_id.in_(ids)))) if ids else set()


def error_class_of(code: str | None) -> type[GlificGptError] | None:
    """The error that a call's error_code stands for, if it is one of ours."""
    bases = (CallerError, OrganizationError, ServiceError)
    known = {error.code: error for base in bases for error in base.__subclasses__()} | {Broken.code: Broken}
    return known.get(code or "")


def events(story: CallTimeline) -> list[TimelineEvent]:
    """The first one first."""
    return sorted(_of_call(story) if story.delivery is None else _of_delivery(story, story.delivery))


def _of_call(story: CallTimeline) -> Iterator[TimelineEvent]:
    yield _arrived(story.call)
    if story.call.status == "interrupted":
        yield TimelineEvent(story.call.give_up_at, "interrupted: the server's process ended before there was an answer")
    if story.answered_at:
        yield TimelineEvent(story.answered_at, _answered(story))


def _of_delivery(story: CallTimeline, delivery: Delivery) -> Iterator[TimelineEvent]:
    yield _arrived(story.call)
    yield TimelineEvent(delivery.accepted_at, "accepted: the flow was told to wait")
    if delivery.asked_at:
        yield TimelineEvent(delivery.asked_at, "asked: the question went to OpenAI")
    if delivery.answered_at:
        yield TimelineEvent(delivery.answered_at, _answered(story))
    if _was_retried(delivery) and delivery.trying_since:
        yield TimelineEvent(delivery.trying_since, "retried: an administrator had it tried again")
    if delivery.ended_at:
        word = "resumed" if delivery.state == "delivered" else "given up"
        yield TimelineEvent(delivery.ended_at, f"{word}, after {attempts_text(delivery)}: {delivery.said}")


def is_stuck(story: CallTimeline, asking_seconds: float) -> bool:
    """Whether a waiting answer stands still for longer than OpenAI may take for it, or Glific once it is there."""
    answered = story.delivery is not None and story.delivery.answered_at is not None
    patience = RETRY_UNAVAILABLE_FOR if answered else timedelta(seconds=asking_seconds)
    return now() - events(story)[-1].at > patience


def attempts_text(delivery: Delivery) -> str:
    return "1 try" if delivery.tries == 1 else f"{delivery.tries} tries"


def _arrived(call: Call) -> TimelineEvent:
    model = f", to be answered by {call.model_asked}" if call.model_asked else ""
    return TimelineEvent(call.started_at, f"arrived: {call.function}{model}")


def _answered(story: CallTimeline) -> str:
    call, code = story.call, story.own_error
    if code:
        error = error_class_of(code)
        return f"failed: {code}. {error.sentence if error else ''}".strip()
    return f"answered: {call.model_used or call.model_asked}, tokens: {call.input_tokens} in, {call.output_tokens} out"


def _was_retried(delivery: Delivery) -> bool:
    first = delivery.answered_at or delivery.accepted_at
    return delivery.trying_since is not None and delivery.trying_since > first + IMMEDIATE_DELIVERY
