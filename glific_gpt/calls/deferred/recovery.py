"""Requeue deferred calls after their durable work was lost, and retry deliveries that failed."""

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
from glific_gpt.calls import timeline as timelines
from glific_gpt.calls.deferred import delivery_records
from glific_gpt.calls.tables import Delivery
from glific_gpt.calls.timeline import CallTimeline
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.durable import WorkflowEngine
from glific_gpt.errors import N_, Conflict

GRACE_PERIOD = timedelta(minutes=1)
"""Age from which a waiting delivery is checked: younger ones may not have reached the engine yet."""

MAX_REQUEUES = 3
"""How often the work of one answer is requeued within the hour for which the engine remembers it."""
REQUEUE_FOR = timedelta(hours=24)

MSG_ERROR_ALREADY_RETURNED = "The flow already got an error in its own request, so no answer is delivered."
MSG_LOST = "The server failed several times to finish this answer. Tell its administrators, or ask again."
MSG_IN_PROGRESS = N_("This answer is being delivered right now. You need not do anything.")

log = structlog.get_logger()


class WaitingDelivery(NamedTuple):
    """The state of a waiting delivery when it was read."""

    call_id: str
    organization_id: int
    accepted_at: datetime
    delivering_since: datetime | None


def requeue_orphans(engine: WorkflowEngine) -> None:
    """Requeue waiting deliveries without a workflow, which a failure of the database may have ended.

    Several processes may run this at the same time: only one of them requeues a delivery.
    """
    with transaction() as session:
        waiting = _list_waiting(session)
    if not waiting:
        return
    # Workflows are listed after the deliveries: one that has ended in between has also ended its delivery.
    # Their ids begin with the call's: `call_1`, `call_1.again2` for a requeued one, `call_1~3` for a rescheduled one.
    active = {re.split("[.~]", workflow_id)[0] for workflow_id in engine.list_unfinished()}
    for delivery in waiting:
        if delivery.call_id not in active:
            _requeue(engine, delivery)


def retry_delivery(engine: WorkflowEngine, organization_id: int, call_id: str) -> None:
    """Deliver an answer again, or ask OpenAI if there is none yet; requeue the work if it was lost.

    Raises NotFound if the call does not belong to the organization, and Conflict if there is nothing to retry.
    """
    with transaction() as session:
        delivery = _require_retryable(timelines.find_timeline(session, organization_id, call_id))
    # The engine uses a connection of its own, so no transaction may be open here: SQLite has one writer.
    if delivery.state == "waiting" and engine.has_unfinished(call_id):
        raise Conflict(MSG_IN_PROGRESS)
    with transaction() as session:
        _restart(session, timelines.find_timeline(session, organization_id, call_id), delivery)
        trail.record(session, Action.CALL_RETRIED, organization_id, call=call_id)
        engine.enqueue(session, _new_workflow_id(delivery), call_id, organization_id)


def _list_waiting(session: Session) -> list[WaitingDelivery]:
    columns = (Delivery.call_id, Delivery.organization_id, Delivery.accepted_at, Delivery.delivering_since)
    since = func.coalesce(Delivery.delivering_since, Delivery.accepted_at)
    rows = session.execute(select(*columns).where(Delivery.state == "waiting", since < now() - GRACE_PERIOD))
    return [WaitingDelivery(*row) for row in rows]


def _requeue(engine: WorkflowEngine, waiting: WaitingDelivery) -> None:
    # The engine uses a connection of its own, so no transaction may be open here.
    earlier = {workflow_id.partition("~")[0] for workflow_id in engine.list_known(f"{waiting.call_id}.again")}
    with transaction() as session:
        row = delivery_records.find(session, waiting.call_id) if _lock_unchanged(session, waiting) else None
        if row is None:
            return
        delivery, call = row
        if not delivery_records.is_expected(delivery, call):
            delivery_records.mark_failed(delivery, MSG_ERROR_ALREADY_RETURNED)
        elif len(earlier) < MAX_REQUEUES and now() - (waiting.delivering_since or waiting.accepted_at) < REQUEUE_FOR:
            workflow_id = f"{waiting.call_id}.again{len(earlier) + 1}"
            engine.enqueue(session, workflow_id, waiting.call_id, waiting.organization_id)
        else:
            delivery_records.mark_failed(delivery, MSG_LOST)
            records.finish_pending(call, delivery.state)
        log.warning("job_orphaned", call_id=waiting.call_id, delivery=delivery.state, earlier_requeues=len(earlier))


def _lock_unchanged(session: Session, waiting: WaitingDelivery) -> bool:
    """Lock the row and return True if it is unchanged: an administrator may have retried the delivery meanwhile."""
    unchanged: tuple[ColumnElement[bool], ...] = (
        Delivery.call_id == waiting.call_id,
        Delivery.state == "waiting",
        Delivery.delivering_since.is_not_distinct_from(waiting.delivering_since),
    )
    # An update without an effect locks the row on PostgreSQL, and the database on SQLite.
    lock = update(Delivery).where(*unchanged).values(attempts=Delivery.attempts).returning(Delivery.call_id)
    return session.scalar(lock) is not None


def _require_retryable(timeline: CallTimeline) -> Delivery:
    """Return the delivery. Raises Conflict if it cannot be retried."""
    delivery = timeline.delivery
    if delivery is None:
        raise Conflict(N_("This call was answered in its request, so there is nothing to deliver."))
    if delivery.state == "delivered":
        raise Conflict(N_("The flow already has this answer."))
    if not delivery_records.has_content(delivery):
        raise Conflict(N_("This answer is no longer stored. Ask the question again."))
    if delivery.waited_until is not None and not delivery_records.remaining_wait_seconds(delivery, 1.0):
        raise Conflict(N_("The flow no longer waits for this answer. Ask the question again."))
    return delivery


def _restart(session: Session, timeline: CallTimeline, delivery: Delivery) -> None:
    """Reset the delivery to waiting. Raises Conflict if it has changed since it was read."""
    restarted = session.scalar(
        update(Delivery)
        .where(
            Delivery.call_id == delivery.call_id,
            Delivery.state == delivery.state,
            Delivery.delivering_since.is_not_distinct_from(delivery.delivering_since),
            or_(Delivery.question.is_not(None), Delivery.answer.is_not(None)),
        )
        .values(_restarted_values(delivery))
        .returning(Delivery.call_id)
    )
    if restarted is None:
        raise Conflict(MSG_IN_PROGRESS)
    call = timeline.call
    # The error of the failed delivery is removed, and an error of the call itself stays.
    call.status, call.error_code, call.duration_ms = "pending", timeline.own_error, None
    session.flush()


def _restarted_values(delivery: Delivery) -> dict[str, object]:
    # If the work was lost, the result of its last attempt is not known.
    was_lost = delivery.state == "waiting"
    return {
        "state": "waiting",
        "delivering_since": now(),
        "ended_at": None,
        "possibly_delivered": was_lost and delivery.possibly_delivered,
    }


def _new_workflow_id(delivery: Delivery) -> str:
    """Return an id that was never used: the engine ignores a workflow with an id that it remembers."""
    return f"{delivery.call_id}.{delivery.attempts}.{secrets.token_hex(4)}"
