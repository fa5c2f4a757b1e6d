"""The timeline of a call, from its arrival to the delivery of its answer."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from glific_gpt.calls import records
from glific_gpt.calls.deferred.delivery import RETRY_UNAVAILABLE_FOR
from glific_gpt.calls.tables import CALL_ID, FAILED_DELIVERY_STATES, Call, Delivery
from glific_gpt.clock import now
from glific_gpt.database import owned
from glific_gpt.errors import GlificGptError, NotFound, errors_by_code

IMMEDIATE_DELIVERY = timedelta(seconds=1)
"""The first delivery starts as soon as there is an answer. One that starts later than this was a retry."""


@dataclass(frozen=True)
class CallTimeline:
    """A call, with its delivery if the answer came later."""

    call: Call
    delivery: Delivery | None

    @property
    def answered_at(self) -> datetime | None:
        """When there was an answer or an error."""
        if self.delivery:
            return self.delivery.answered_at
        milliseconds = self.call.duration_ms
        return None if milliseconds is None else self.call.started_at + timedelta(milliseconds=milliseconds)

    @property
    def own_error(self) -> str | None:
        """The error code of the call itself, as opposed to that of its delivery."""
        return None if self.call.error_code in FAILED_DELIVERY_STATES else self.call.error_code


class TimelineEvent(NamedTuple):
    """A time and a description, which begins with the kind of the event."""

    at: datetime
    what: str


def find_timeline(session: Session, organization_id: int, call_id: str) -> CallTimeline:
    """Return a call of the organization. Raises NotFound, also for another organization's call."""
    records.mark_interrupted(session)
    is_call_id = re.fullmatch(CALL_ID, call_id)  # PostgreSQL refuses a parameter with a NUL character
    call = session.scalar(owned(Call, organization_id).where(Call.call_id == call_id)) if is_call_id else None
    if call is None:
        raise NotFound("There is no call with this id.")
    return CallTimeline(call, session.get(Delivery, call_id))


def deferred_call_ids(session: Session, calls: Sequence[Call]) -> set[str]:
    """Return the ids of those calls that have, or will have, a later answer."""
    ids = [call.call_id for call in calls]
    return set(session.scalars(select(Delivery.call_id).where(Delivery.call_id.in_(ids)))) if ids else set()


def error_class_of(code: str | None) -> type[GlificGptError] | None:
    """Return the error class of an error code; None for the code of a plugin."""
    return errors_by_code().get(code or "")


def events(timeline: CallTimeline) -> list[TimelineEvent]:
    """Return the events of a call, oldest first."""
    found = _of_call(timeline) if timeline.delivery is None else _of_delivery(timeline, timeline.delivery)
    # By the time alone: events at the same moment keep the order in which they happen.
    return sorted(found, key=attrgetter("at"))


def _of_call(timeline: CallTimeline) -> Iterator[TimelineEvent]:
    yield _arrived(timeline.call)
    if timeline.call.status == "interrupted":
        yield TimelineEvent(
            timeline.call.give_up_at, "interrupted: the server's process ended before there was an answer"
        )
    if timeline.answered_at:
        yield TimelineEvent(timeline.answered_at, _answered(timeline))


def _of_delivery(timeline: CallTimeline, delivery: Delivery) -> Iterator[TimelineEvent]:
    yield _arrived(timeline.call)
    yield TimelineEvent(delivery.accepted_at, "accepted: the flow was told to wait")
    if delivery.asked_at:
        yield TimelineEvent(delivery.asked_at, "asked: the question went to OpenAI")
    if delivery.answered_at:
        yield TimelineEvent(delivery.answered_at, _answered(timeline))
    if _was_retried(delivery) and delivery.delivering_since:
        yield TimelineEvent(delivery.delivering_since, "retried: an administrator started the delivery again")
    if delivery.ended_at:
        word = "resumed" if delivery.state == "delivered" else "given up"
        yield TimelineEvent(delivery.ended_at, f"{word}, after {attempts_text(delivery)}: {delivery.last_response}")


def is_stuck(timeline: CallTimeline, asking_seconds: float) -> bool:
    """Return whether nothing happened for longer than OpenAI may take, or Glific once there is an answer."""
    answered = timeline.delivery is not None and timeline.delivery.answered_at is not None
    limit = RETRY_UNAVAILABLE_FOR if answered else timedelta(seconds=asking_seconds)
    return now() - events(timeline)[-1].at > limit


def attempts_text(delivery: Delivery) -> str:
    return "1 attempt" if delivery.attempts == 1 else f"{delivery.attempts} attempts"


def _arrived(call: Call) -> TimelineEvent:
    model = f", to be answered by {call.model_asked}" if call.model_asked else ""
    return TimelineEvent(call.started_at, f"arrived: {call.function}{model}")


def _answered(timeline: CallTimeline) -> str:
    call, code = timeline.call, timeline.own_error
    if code:
        error = error_class_of(code)
        cause = f" Cause: {call.cause}." if call.cause else ""
        return f"failed: {code}. {error.default_message if error else ''}".strip() + cause
    fallback = f" (fallback model, because of {call.fallback_reason})" if call.fallback_reason else ""
    model = f"{call.model_used or call.model_asked}{fallback}"
    return f"answered: {model}, tokens: {call.input_tokens} in, {call.output_tokens} out"


def _was_retried(delivery: Delivery) -> bool:
    first = delivery.answered_at or delivery.accepted_at
    return delivery.delivering_since is not None and delivery.delivering_since > first + IMMEDIATE_DELIVERY
