"""Reviving: answers whose durable work has ended by a failure are handed in anew, and given up when that does not help.

Whatever it was that ended the work (the database, most likely), a flow waits for the answer.
"""

import re
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.calls import records
from glific_gpt.calls import timeline as stories
from glific_gpt.calls.deferred import delivery_records
from glific_gpt.calls.tables import Delivery
from glific_gpt.calls.timeline import CallTimeline
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.durable import Engine
from glific_gpt.errors import N_, Conflict

GRACE_PERIOD = timedelta(minutes=1)
"""How long after its call was accepted, or its answer was there, nobody looks whether work was lost."""

MAX_REQUEUES = 3
"""How often the work of one answer is handed in anew, within the hour that the engine remembers."""
REQUEUE_FOR = timedelta(hours=24)

MSG_ERROR_ALREADY_RETURNED = "The flow was told of an error in its own request, so nothing is sent any more."
MSG_LOST = "The server could not finish this answer in several tries: tell its administrators, or try again."

log = structlog.get_logger()


def requeue_orphans(engine: Engine) -> None:
    """Looks through all answers on their way; only one of several processes that do so hands in."""
    with transaction() as session:
        waiting = _waiting(session)
    if not waiting:
        return
    # After the deliveries were read: work that has ended since has also ended its delivery.
    at_work = {re.split("[.~]", job)[0] for job in engine.all_at_work()}
    for seen in waiting:
        if seen.call_id not in at_work:
            _revive(engine, seen)


class WaitingDelivery(NamedTuple):
    """What was seen of a delivery that is on its way."""

    call_id: str
    organization_id: int
    accepted_at: datetime
    trying_since: datetime | None


def _waiting(session: Session) -> list[WaitingDelivery]:
    columns = (Delivery.call_id, Delivery.organization_id, Delivery.accepted_at, Delivery.trying_since)
    since = func.coalesce(Delivery.trying_since, Delivery.accepted_at)
    rows = session.execute(select(*columns).where(Delivery.state == "waiting", since < now() - GRACE_PERIOD))
    return [WaitingDelivery(*row) for row in rows]


def _revive(engine: Engine, seen: WaitingDelivery) -> None:
    # The engine has a connection of its own, so no transaction may be open here.
    before = {job.partition("~")[0] for job in engine.remembered(f"{seen.call_id}.again")}
    with transaction() as session:
        found = delivery_records.find(session, seen.call_id) if _is_still(session, seen) else None
        if found is None:
            return
        delivery, call = found
        if not delivery_records.is_expected(delivery, call):
            delivery_records.mark_failed(delivery, MSG_ERROR_ALREADY_RETURNED)
        elif len(before) < MAX_REQUEUES and now() - (seen.trying_since or seen.accepted_at) < REQUEUE_FOR:
            job = f"{seen.call_id}.again{len(before) + 1}"
            engine.enqueue(session, job, seen.call_id, seen.organization_id)
        else:
            delivery_records.mark_failed(delivery, MSG_LOST)
            records.finish_pending(call, delivery.state)
        log.warning("work_lost", call_id=seen.call_id, delivery=delivery.state, handed_in_anew=len(before))


def _is_still(session: Session, seen: WaitingDelivery) -> bool:
    """As it was, and locked: an administrator may have had it tried again meanwhile."""
    same: tuple[ColumnElement[bool], ...] = (
        Delivery.call_id == seen.call_id,
        Delivery.state == "waiting",
        Delivery.trying_since.is_not_distinct_from(seen.trying_since),
    )
    locked = update(Delivery).where(*same).values(tries=Delivery.tries).returning(Delivery.call_id)
    return session.scalar(locked) is not None


MSG_IN_PROGRESS = N_("This answer is on its way to the flow at this moment: nothing needs to be done.")


def retry_delivery(engine: Engine, organization_id: int, call_id: str) -> None:
    """Has Glific told again, or OpenAI asked where there was no answer yet; work that was lost is handed in anew.

    Raises NotFound for a call that is not the organization's, Conflict for one that has nothing to be tried again.
    """
    with transaction() as session:
        seen = _checked(stories.find_timeline(session, organization_id, call_id))
    # The engine has a connection of its own, so no transaction may be open here.
    if seen.state == "waiting" and engine.is_at_work(call_id):
        raise Conflict(MSG_IN_PROGRESS)
    with transaction() as session:
        _begin_anew(session, stories.find_timeline(session, organization_id, call_id), seen)
        trail.record(session, Action.CALL_RETRIED, organization_id, call=call_id)
        engine.enqueue(session, _job(seen), call_id, organization_id)


def _checked(story: CallTimeline) -> Delivery:
    """The delivery, if it can be tried again. Raises Conflict."""
    delivery = story.delivery
    if delivery is None:
        raise Conflict(N_("This call has nothing to deliver: it is answered in its request, not later."))
    if delivery.state == "delivered":
        raise Conflict(N_("This answer has reached its flow already."))
    if delivery.question is None and delivery.answer is None:
        raise Conflict(N_("This answer is not kept any more: only a new question gets a new one."))
    if not delivery_records.remaining_wait_seconds(delivery, 1.0):
        raise Conflict(N_("The flow waits for this answer no longer: only a new question gets a new one."))
    return delivery


def _begin_anew(session: Session, story: CallTimeline, seen: Delivery) -> None:
    """Raises Conflict when somebody else was faster."""
    began = session.scalar(
        update(Delivery)
        .where(
            Delivery.call_id == seen.call_id,
            Delivery.state == seen.state,
            Delivery.trying_since.is_not_distinct_from(seen.trying_since),
            or_(Delivery.question.is_not(None), Delivery.answer.is_not(None)),
        )
        .values(_values(seen))
        .returning(Delivery.call_id)
    )
    if began is None:
        raise Conflict(MSG_IN_PROGRESS)
    story.call.status, story.call.error_code, story.call.duration_ms = "pending", story.own_error, None
    session.flush()


def _values(seen: Delivery) -> dict[str, object]:
    # Of work that was lost, nobody knows how its last try ended.
    lost = seen.state == "waiting"
    return {
        "state": "waiting",
        "trying_since": now(),
        "ended_at": None,
        "may_have_arrived": lost and seen.may_have_arrived,
    }


def _job(seen: Delivery) -> str:
    """A name that was never there: one that the engine still remembers would be handed in and never done."""
    return f"{seen.call_id}.{seen.tries}.{secrets.token_hex(4)}"
