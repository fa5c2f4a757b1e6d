"""Limits on calls: questions of a contact in 24 hours. `budget.py` limits the spending of an organization."""

from datetime import timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from glific_gpt.calls.tables import Call
from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import now
from glific_gpt.errors import ContactLimit
from glific_gpt.organizations.changes import MAX_CONTACT_DAILY_LIMIT
from glific_gpt.organizations.tables import Organization

DAY = timedelta(days=1)
HOUR_SECONDS = 3600

MSG_NO_CONTACT = (
    "Calls without a contact have reached the organization's daily limit for one contact. "
    'Add "contact": "@contact" to the body of the webhook node.'
)


def has_limits(tenant: Tenant) -> bool:
    """Return whether any limit counts the calls of this organization."""
    return tenant.contact_daily_limit is not None or tenant.monthly_budget_usd is not None


def check_contact(session: Session, tenant: Tenant, contact_id: int | None) -> None:
    """Count the contact's calls in the last 24 hours, this call's row included. Raises ContactLimit.

    Calls without a contact count as calls of one more contact. Calls of forgotten contacts do not count.
    """
    if tenant.contact_daily_limit is None:
        return
    # The lock makes concurrent calls of an organization count one after the other. On SQLite the insert of the row
    # has already taken the only write lock. FOR NO KEY UPDATE (key_share) lets other inserts check their foreign key.
    lock = select(Organization.id).where(Organization.id == tenant.organization_id)
    session.execute(lock.with_for_update(key_share=True))
    found = select(Call.id).where(
        Call.organization_id == tenant.organization_id,
        Call.contact_id == contact_id if contact_id is not None else Call.contact_id.is_(None),
        Call.status.in_(("pending", "ok", "started")),  # alone, so that the index serves it
        ~Call.contact_forgotten,
        Call.started_at > now() - DAY,
        or_(Call.status != "started", Call.give_up_at > now()),
    )
    # Other calls wait for this transaction, so it reads no more rows than it needs. A limit from an earlier release can
    # be higher than the maximum.
    limit = min(tenant.contact_daily_limit, MAX_CONTACT_DAILY_LIMIT)
    counted = found.limit(limit + 1).subquery()
    if (session.scalar(select(func.count()).select_from(counted)) or 0) > limit:
        raise ContactLimit(MSG_NO_CONTACT if contact_id is None else "", retry_after=HOUR_SECONDS)
