"""Forgetting a contact: the contact's id is removed from the calls of an organization."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, update

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.calls import records
from glific_gpt.calls.deferred import delivery_records
from glific_gpt.calls.tables import Call, Delivery
from glific_gpt.database import transaction

BATCH_SIZE = 500
"""Calls that are changed in one transaction. On SQLite, other calls wait for it."""

UNFINISHED = ("started", "pending")


@dataclass(frozen=True)
class ForgottenContact:
    """The calls of a contact that was forgotten."""

    calls: int
    """Calls without the contact's id now."""
    waiting: int
    """Calls in progress. They lose it when their answer is delivered, or when its delivery is given up."""


def forget(organization_id: int, contact_id: int) -> ForgottenContact:
    """Remove the contact's id from all calls, and the content of the contact's failed deliveries.

    For the limits, the contact has no calls afterwards, and later calls count as always. A contact that is unknown, or
    another organization's, has no calls.
    """
    of_contact = (Call.organization_id == organization_id, Call.contact_id == contact_id)
    with transaction() as session:
        records.mark_interrupted(session)
        # First, so that a call that ends while the others are changed removes the id itself.
        unfinished = update(Call).where(*of_contact, Call.status.in_(UNFINISHED), ~Call.contact_forgotten)
        session.execute(unfinished.values(contact_forgotten=True))
    calls = 0
    while changed := _forget_batch(of_contact):
        calls += changed
    with transaction() as session:
        waiting = session.scalar(select(func.count()).select_from(Call).where(*of_contact)) or 0
        if calls or waiting:
            trail.record(session, Action.CONTACT_FORGOTTEN, organization_id, calls=calls + waiting)
    return ForgottenContact(calls, waiting)


def _forget_batch(of_contact: tuple[ColumnElement[bool], ...]) -> int:
    """Change some calls that have ended, and return their number."""
    ended = select(Call.id, Call.call_id).where(*of_contact, Call.status.not_in(UNFINISHED)).limit(BATCH_SIZE)
    with transaction() as session:
        rows = session.execute(ended).all()
        call_ids, ids = [row.call_id for row in rows], [row.id for row in rows]
        # They cannot be delivered again, because a delivery names the contact.
        session.execute(update(Delivery).where(Delivery.call_id.in_(call_ids)).values(delivery_records.NO_CONTENT))
        session.execute(update(Call).where(Call.id.in_(ids)).values(contact_id=None, contact_forgotten=True))
    return len(rows)
