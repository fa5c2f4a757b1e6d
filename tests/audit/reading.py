"""What a test reads in the trail."""

from typing import Any, NamedTuple

from glific_gpt.audit import trail
from glific_gpt.audit.trail import EntryView
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from tests.support.house import House


class Line(NamedTuple):
    """An entry without what no test can know before."""

    actor: str
    action: str
    detail: dict[str, Any]


def entries(house: House, slug: str | None = None) -> list[EntryView]:
    """Newest first: an organization's, or all."""
    with house.app.app_context(), transaction() as session:
        organization_id = store.find(session, slug).id if slug else None
        return trail.list_entries(session, organization_id, limit=1000)


def lines(house: House, slug: str | None = None) -> list[Line]:
    """Oldest first, so that they read as they happened."""
    return [Line(entry.actor, entry.action, entry.detail) for entry in reversed(entries(house, slug))]
