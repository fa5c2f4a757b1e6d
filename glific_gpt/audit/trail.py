"""The trail: a change is recorded in its own transaction, read in pages, and forgotten after a good year."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import g
from sqlalchemy import column, delete, func, select, table
from sqlalchemy.orm import Session

from glific_gpt.audit.actions import Action
from glific_gpt.audit.tables import AuditEntry
from glific_gpt.clock import now

SERVER_ACTOR = "server"
"""Who acts when no door has said who."""

MAX_ACTOR_LENGTH = 255
PAGE_SIZE = 50
RETENTION = timedelta(days=400)

# This floor is below the organizations', of whose table it needs no more than their names.
_ORGANIZATIONS = table("organizations", column("id"), column("slug"), column("name"))


@dataclass(frozen=True)
class EntryView:
    """One change, as people see it."""

    id: int
    at: datetime
    slug: str | None
    """Of the organization; None is the server itself."""
    organization: str | None
    """Its name for people."""
    actor: str
    action: str
    detail: dict[str, Any]


def record(session: Session, action: Action, organization_id: int | None = None, **detail: Any) -> None:
    """Writes down who does this, in the transaction of the change itself. No secret belongs into the detail."""
    actor = str(g.get("actor", SERVER_ACTOR))[:MAX_ACTOR_LENGTH]
    session.add(AuditEntry(organization_id=organization_id, actor=actor, action=action.value, detail=detail))


def list_entries(session: Session, organization_id: int | None, *, limit: int = PAGE_SIZE, before: int | None = None) -> list[EntryView]:
    """Newest first: an organization's, or with None everything; `before` is the id of the last one that was seen."""
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
    """How often an organization's people have done one of these."""
    query = select(func.count()).select_from(AuditEntry).where(AuditEntry.organization_id == organization_id)
    wanted = AuditEntry.action.in_([action.value for action in actions])
    return session.scalar(query.where(wanted, AuditEntry.at >= since)) or 0


def delete_expired_entries(session: Session) -> None:
    """Deletes what is older than it is kept."""
    session.execute(delete(AuditEntry).where(AuditEntry.at < now() - RETENTION))
