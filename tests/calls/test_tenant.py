"""The tenant of a call: all that is known of it comes with one query, the administrators' list included."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from glific_gpt.calls import tenant as tenants
from glific_gpt.database import db, transaction
from tests.support.house import House, Ngo


@contextmanager
def queries() -> Iterator[list[str]]:
    """Those that are sent meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        sent.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(db.engine, "before_cursor_execute", note)


def test_one_query_finds_everything(house: House, alice: Ngo) -> None:
    alice.change(allowed_models=["gpt-4o*"])
    for patterns in (None, ["gpt-*", "o3"], [], None):
        house.allow_models(patterns)
        with house.app.app_context(), transaction() as session, queries() as sent:
            found = tenants.find(session, "alice", "open_ai", alice.token)
        assert found is not None
        assert (found.server_models, found.allowed_models, found.token_matches) == (patterns, ["gpt-4o*"], True)
        assert len(sent) == 1
