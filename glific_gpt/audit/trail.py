"""Audit trail: recording entries in the transaction of the change, listing them, and deleting expired ones."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import g
from sqlalchemy import case, column, func, select, table, update
from sqlalchemy.orm import Session, aliased

from glific_gpt.audit.actions import Action
from glific_gpt.audit.tables import AuditEntry
from glific_gpt.clock import now
from glific_gpt.database import delete_batch

SERVER_ACTOR = "server"
"""Actor if no entry point has set one."""

MAX_ACTOR_LENGTH = 255
PAGE_SIZE = 50
MAX_COUNTED_ROWS = 20_000
"""Newest entries of all organizations in which those about a person are counted."""
RETENTION = timedelta(days=400)

# The audit package is below organizations in the layers and cannot import their table.
_ORGANIZATIONS = table("organizations", column("id"), column("slug"), column("name"))


@dataclass(frozen=True)
class EntryView:
    """One entry, with the name of its organization."""

    id: int
    at: datetime
    slug: str | None
    """Slug of the organization; None for the server itself."""
    organization: str | None
    """Name of the organization."""
    actor: str
    action: str
    detail: dict[str, Any]


def record(session: Session, action: Action, organization_id: int | None = None, **detail: Any) -> None:
    """Record an action of the current actor, in the transaction of the change. `detail` must not hold a secret."""
    actor = str(g.get("actor", SERVER_ACTOR))[:MAX_ACTOR_LENGTH]
    session.add(AuditEntry(organization_id=organization_id, actor=actor, action=action.value, detail=detail))


def list_entries(
    session: Session, organization_id: int | None, *, limit: int = PAGE_SIZE, before: int | None = None
) -> list[EntryView]:
    """Return an organization's entries, or all with None, newest first. `before` is the previous page's last id."""
    # An outer join, because entries about the server itself have no organization.
    query = select(AuditEntry, _ORGANIZATIONS.c.slug, _ORGANIZATIONS.c.name).outerjoin(
        _ORGANIZATIONS, _ORGANIZATIONS.c.id == AuditEntry.organization_id
    )
    if organization_id is not None:
        query = query.where(AuditEntry.organization_id == organization_id)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    rows = session.execute(query.order_by(AuditEntry.id.desc()).limit(limit))
    return [EntryView(row.id, row.at, slug, name, row.actor, row.action, row.detail) for row, slug, name in rows]


def count_entries(session: Session, organization_id: int, actions: Iterable[Action], since: datetime) -> int:
    """Count an organization's entries of these actions since a time."""
    query = select(func.count()).select_from(AuditEntry).where(AuditEntry.organization_id == organization_id)
    matching = AuditEntry.action.in_([action.value for action in actions])
    return session.scalar(query.where(matching, AuditEntry.at >= since)) or 0


def count_entries_about(session: Session, email: str, action: Action, since: datetime) -> int:
    """Count the entries of this action about a person since a time, in all organizations.

    At most MAX_COUNTED_ROWS entries are read, so that the many changes of one organization do not delay others.
    """
    newest = select(AuditEntry).where(AuditEntry.at >= since).order_by(AuditEntry.at.desc()).limit(MAX_COUNTED_ROWS)
    entry = aliased(AuditEntry, newest.subquery())
    matching = (entry.action == action.value, entry.detail["email"].as_string() == email)
    return session.scalar(select(func.count()).select_from(entry).where(*matching)) or 0


def anonymize(session: Session, names: Mapping[str, str]) -> None:
    """Replace these e-mail addresses by names in all entries, and remove the network addresses of these people."""
    by_them = update(AuditEntry).where(AuditEntry.actor.in_(names))
    session.execute(by_them.values(actor=case(dict(names), value=AuditEntry.actor)))
    about_them = select(AuditEntry).where(AuditEntry.detail["email"].as_string().in_(names))
    for entry in session.scalars(about_them):
        kept = {key: value for key, value in entry.detail.items() if key != "address"}
        entry.detail = kept | {"email": names[entry.detail["email"]]}
    session.flush()


def delete_expired_entries(session: Session) -> int:
    """Delete a batch of entries that are older than RETENTION, and return their number."""
    return delete_batch(session, AuditEntry, AuditEntry.at, now() - RETENTION)
