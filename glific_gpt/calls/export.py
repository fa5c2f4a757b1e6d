"""Export: many calls of an organization one after the other, without keeping the database waiting."""

from collections.abc import Iterator

from glific_gpt.calls import records, search
from glific_gpt.calls.search import EVERYTHING, Filters
from glific_gpt.calls.tables import Call
from glific_gpt.database import reading, transaction

MOST = 50_000
BATCH = 1000
"""How many are read in one transaction, which ends before the first of them is handed on."""


def rows(
    organization_id: int, filters: Filters = EVERYTHING, *, limit: int = MOST, batch: int = BATCH
) -> Iterator[Call]:
    """Calls, newest first, while somebody takes them; what comes in meanwhile is not among them."""
    with transaction() as session:
        records.mark_interrupted(session)
    before_id = None
    while limit > 0:
        wanted = min(limit, batch)
        with reading() as session:
            found = search.newest(session, organization_id, filters, wanted, before_id)
        yield from found
        if len(found) < wanted:
            return
        before_id, limit = found[-1].id, limit - wanted
