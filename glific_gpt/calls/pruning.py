"""Deletion of old calls in batches, each in a short transaction. Their daily totals remain."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, Select, Table, and_, delete, exists, func, select
from sqlalchemy.orm import Session

from glific_gpt.calls import daily_totals
from glific_gpt.calls.deferred.delivery_records import UNDELIVERED_RETENTION
from glific_gpt.calls.tables import FAILED_DELIVERY_STATES, Call, Delivery
from glific_gpt.clock import now
from glific_gpt.database import lock_name, reading, transaction
from glific_gpt.organizations.tables import Organization
from glific_gpt.runtime.event_loop import blocking

BATCH_SIZE = 200
"""Calls that one transaction deletes. Other calls are answered between two transactions."""

PAUSE_SECONDS = 0.05
"""Pause between two transactions, for the calls of other processes. SQLite has one writer."""

COUNT_TIMEOUT_SECONDS = 60.0
"""Time-out of counting the calls that a command is going to delete."""

LOCK = "glific_gpt:prune_calls"
"""One process at a time deletes calls, because they add to the same totals."""

FINISHED_STATUSES = ("ok", "error", "interrupted")
ENDED_STATES = ("delivered", *FAILED_DELIVERY_STATES)

CALLS = cast("Table", Call.__table__)
DELIVERIES = cast("Table", Delivery.__table__)


class OldCalls(NamedTuple):
    """Numbers of calls that are old enough to be deleted, and of their organizations."""

    calls: int
    organizations: int


def first_kept_moment(days: int) -> datetime:
    """Return the midnight (UTC) before which calls are deleted, if they are kept for this number of days."""
    return datetime.combine(now().date() - timedelta(days=days), time_of_day(), UTC)


def count(before: datetime) -> OldCalls:
    """Return the numbers of calls that `prune` would delete. It reads every call."""
    found = select(func.count(), func.count(Call.organization_id.distinct())).select_from(Call)
    with reading(timeout=COUNT_TIMEOUT_SECONDS) as session:
        return OldCalls(*session.execute(found.where(*_conditions(before))).one())


@blocking
def prune(before: datetime) -> Iterator[int]:
    """Delete the calls that began before this time, with their deliveries, and yield the number after each batch.

    Calls in progress are kept, and so are those whose delivery is not finished or can be retried.
    """
    with transaction() as session:
        organization_ids = list(session.scalars(organizations_with_calls(before)))
    for organization_id in organization_ids:
        deleted = BATCH_SIZE
        while deleted == BATCH_SIZE:
            with transaction() as session:
                deleted = _delete_batch(session, organization_id, before)
            yield deleted
            time.sleep(PAUSE_SECONDS)


def _delete_batch(session: Session, organization_id: int, before: datetime) -> int:
    lock_name(session, LOCK)
    rows = session.execute(oldest_calls(organization_id, before)).all()
    ids = [row.call_id for row in rows]
    deliveries = delete(DELIVERIES).where(DELIVERIES.c.call_id.in_(ids)).returning(DELIVERIES.c.call_id)
    deferred_ids = set(session.scalars(deliveries))
    # Not with the other columns: SQLite 3.40 evaluates IS NULL wrongly in RETURNING.
    deleted_ids = set(session.scalars(delete(CALLS).where(CALLS.c.call_id.in_(ids)).returning(CALLS.c.call_id)))
    daily_totals.add(session, organization_id, [row for row in rows if row.call_id in deleted_ids], deferred_ids)
    return len(deleted_ids)


def oldest_calls(organization_id: int, before: datetime) -> Select[Any]:
    """Select the next batch of an organization."""
    return (
        select(*daily_totals.DELETED_COLUMNS)
        .where(Call.organization_id == organization_id, *_conditions(before))
        .order_by(Call.started_at)
        .limit(BATCH_SIZE)
    )


def organizations_with_calls(before: datetime) -> Select[int]:
    """Select the ids of the organizations that have calls to delete."""
    # One row of the index for each organization. With EXISTS, PostgreSQL may read the whole table.
    oldest = (
        select(Call.started_at)
        .where(Call.organization_id == Organization.id, *_conditions(before))
        .order_by(Call.started_at)
        .limit(1)
        .scalar_subquery()
    )
    return select(Organization.id).where(oldest.is_not(None)).order_by(Organization.id)


def _conditions(before: datetime) -> tuple[ColumnElement[Any], ...]:
    # Later than the content of a delivery, which is deleted first. Alerts count the failures of the last 24 hours.
    is_ended = and_(
        Delivery.state.in_(ENDED_STATES),
        Delivery.ended_at < now() - UNDELIVERED_RETENTION,
        Delivery.question.is_(None),
        Delivery.answer.is_(None),
    )
    # Not with a join: PostgreSQL would expect few rows, and sort all that it finds.
    has_unfinished_delivery = exists().where(Delivery.call_id == Call.call_id, ~is_ended)
    return Call.started_at < before, Call.status.in_(FINISHED_STATUSES), ~has_unfinished_delivery
