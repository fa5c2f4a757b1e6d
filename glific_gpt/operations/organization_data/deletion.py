"""Deletion of an organization with everything that is stored of it.

One transaction would keep SQLite locked for minutes if there are many calls, and calls of other organizations would
fail meanwhile. So the organization is switched off first, then most of its calls are deleted in batches, and a last
transaction deletes all the rest. If the deletion is interrupted, the organization is left switched off, with fewer
calls, and the deletion can be repeated.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from glific_gpt.accounts import removal
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.calls.tables import Call, Delivery
from glific_gpt.database import transaction
from glific_gpt.durable import WorkflowEngine
from glific_gpt.emails import outbox
from glific_gpt.operations.organization_data.tables import TABLES
from glific_gpt.organizations import store
from glific_gpt.organizations.changes import validate_changes
from glific_gpt.organizations.tables import Organization
from glific_gpt.runtime.event_loop import blocking

BATCH_SIZE = 1000
"""Calls that are deleted in one transaction."""
PAUSE_SECONDS = 0.02
"""Pause between two of these transactions, in which other processes write."""
TIMEOUT_SECONDS = 30.0
"""Time-out of the statements of the last transaction. They can read all deliveries and audit entries."""


@dataclass(frozen=True)
class Deletion:
    """The result of a deletion, or of a part of it."""

    is_complete: bool
    people: int = 0
    """Number of deleted accounts."""


@blocking
def delete_organization(
    engine: WorkflowEngine,
    slug: str,
    *,
    seconds: float | None = None,
    on_rows: Callable[[int], object] = lambda _: None,
) -> Deletion:
    """Delete the organization, or as much as `seconds` allow. `on_rows` gets the number of rows of each batch.

    Raises NotFound.
    """
    until = None if seconds is None else time.monotonic() + seconds
    with transaction() as session:
        organization = store.find(session, slug)
        store.update(session, organization, validate_changes(is_active=False))
    _end_durable_work(engine, organization.id)
    while deleted := _delete_calls(organization.id):
        on_rows(deleted)
        if until is not None and time.monotonic() > until:
            return Deletion(is_complete=False)
        time.sleep(PAUSE_SECONDS)
    with transaction(TIMEOUT_SECONDS) as session:
        people = _delete_rest(session, organization)
    return Deletion(is_complete=True, people=people)


def _end_durable_work(engine: WorkflowEngine, organization_id: int) -> None:
    """Cancel waiting answers and e-mails. Work that a process has begun ends when it finds no row."""
    engine.cancel(organization_id)
    emails = engine.cancel(-organization_id)
    with transaction() as session:
        outbox.discard_by_workflow(session, emails)


def _delete_calls(organization_id: int) -> int:
    """Delete the oldest calls with their deliveries, and return their number; 0 if less than a batch is left."""
    oldest = select(Call.id, Call.call_id).where(Call.organization_id == organization_id).order_by(Call.id)
    with transaction() as session:
        rows = session.execute(oldest.limit(BATCH_SIZE)).all()
        if len(rows) < BATCH_SIZE:
            return 0
        session.execute(delete(Delivery).where(Delivery.call_id.in_([row.call_id for row in rows])))
        session.execute(delete(Call).where(Call.organization_id == organization_id, Call.id <= rows[-1].id))
    return len(rows)


def _delete_rest(session: Session, organization: Organization) -> int:
    """Delete all rows of the organization, and return the number of deleted accounts."""
    # Calls that are being written finish before this lock, and later ones find no organization.
    lock = select(Organization.id).where(Organization.id == organization.id).with_for_update()
    session.execute(lock)
    people = removal.delete_exclusive_members(session, organization.id)
    for table in TABLES:
        session.execute(delete(table.table).where(table.owner == organization.id))
    trail.record(session, Action.ORGANIZATION_DELETED, slug=organization.slug)
    return people
