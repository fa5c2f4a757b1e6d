"""Reviving: answers whose durable work has ended by a failure are handed in anew, and given up when that does not help.

Whatever it was that ended the work (the database, most likely), a flow waits for the answer.
"""

import re
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from glific_gpt.calls import records
from glific_gpt.calls.later import deliveries
from glific_gpt.calls.tables import Delivery
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.durable import Engine

QUIET = timedelta(minutes=1)
"""How long after its call was accepted, or its answer was there, nobody looks whether work was lost."""

OFTEN_ENOUGH = 3
"""How often the work of one answer is handed in anew, within the hour that the engine remembers."""
LONG_ENOUGH = timedelta(hours=24)

TOLD_OTHERWISE = "The flow was told of an error in its own request, so nothing is sent any more."
LOST = "The server could not finish this answer in several tries: tell its administrators, or try again."

log = structlog.get_logger()


def revive(engine: Engine) -> None:
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


class Waiting(NamedTuple):
    """What was seen of a delivery that is on its way."""

    call_id: str
    organization_id: int
    accepted_at: datetime
    trying_since: datetime | None


def _waiting(session: Session) -> list[Waiting]:
    columns = (Delivery.call_id, Delivery.organization_id, Delivery.accepted_at, Delivery.trying_since)
    since = func.coalesce(Delivery.trying_since, Delivery.accepted_at)
    rows = session.execute(select(*columns).where(Delivery.state == "waiting", since < now() - QUIET))
    return [Waiting(*row) for row in rows]


def _revive(engine: Engine, seen: Waiting) -> None:
    # The engine has a connection of its own, so no transaction may be open here.
    before = {job.partition("~")[0] for job in engine.remembered(f"{seen.call_id}.again")}
    with transaction() as session:
        found = deliveries.find(session, seen.call_id) if _is_still(session, seen) else None
        if found is None:
            return
        delivery, call = found
        if not deliveries.is_waited_for(delivery, call):
            deliveries.give_up(delivery, TOLD_OTHERWISE)
        elif len(before) < OFTEN_ENOUGH and now() - (seen.trying_since or seen.accepted_at) < LONG_ENOUGH:
            job = f"{seen.call_id}.again{len(before) + 1}"
            engine.enqueue(session, job, seen.call_id, seen.organization_id)
        else:
            deliveries.give_up(delivery, LOST)
            records.end_pending(call, delivery.state)
        log.warning("work_lost", call_id=seen.call_id, delivery=delivery.state, handed_in_anew=len(before))


def _is_still(session: Session, seen: Waiting) -> bool:
    """As it was, and locked: an administrator may have had it tried again meanwhile."""
    same: tuple[ColumnElement[bool], ...] = (
        Delivery.call_id == seen.call_id,
        Delivery.state == "waiting",
        Delivery.trying_since.is_not_distinct_from(seen.trying_since),
    )
    locked = update(Delivery).where(*same).values(tries=Delivery.tries).returning(Delivery.call_id)
    return session.scalar(locked) is not None
