"""Helpers that read the audit trail."""

from typing import Any, NamedTuple

from glific_gpt.audit import trail
from glific_gpt.audit.trail import EntryView
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from tests.support.server import RunningServer


class Line(NamedTuple):
    """An entry without its id and time."""

    actor: str
    action: str
    detail: dict[str, Any]


def entries(server: RunningServer, slug: str | None = None) -> list[EntryView]:
    """Return an organization's entries or all, newest first."""
    with server.app.app_context(), transaction() as session:
        organization_id = store.find(session, slug).id if slug else None
        return trail.list_entries(session, organization_id, limit=1000)


def lines(server: RunningServer, slug: str | None = None) -> list[Line]:
    """Return the entries without id and time, oldest first."""
    return [Line(entry.actor, entry.action, entry.detail) for entry in reversed(entries(server, slug))]
