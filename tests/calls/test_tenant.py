"""One query loads the tenant of a call, including the server's list of allowed models."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from glific_gpt.calls import tenant as tenants
from glific_gpt.database import db
from tests.support.glific_stand_in import GlificStandIn
from tests.support.server import RunningServer, TestOrganization

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@contextmanager
def recorded_queries() -> Iterator[list[str]]:
    """Record the queries that SQLite itself receives on the one connection outside the event loop."""
    sent: list[str] = []
    connection = db.engine.raw_connection()
    connection.driver_connection.set_trace_callback(sent.append)  # type: ignore[union-attr]
    connection.close()
    yield sent
    connection = db.engine.raw_connection()
    connection.driver_connection.set_trace_callback(None)  # type: ignore[union-attr]
    connection.close()


@on_sqlite
def test_one_query_loads_the_tenant(server: RunningServer, alice: TestOrganization) -> None:
    alice.change(allowed_models=["gpt-4o*"])
    for patterns in (None, ["gpt-*", "o3"], [], None):
        server.allow_models(patterns)
        with server.app.app_context(), recorded_queries() as sent:
            found = tenants.find_tenant("alice", "open_ai", alice.token)
        assert found is not None
        assert (found.server_models, found.allowed_models, found.token_id) == (patterns, ["gpt-4o*"], 1)
        assert len(sent) == 1


@on_sqlite
def test_the_same_query_tells_how_answers_reach_glific(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn
) -> None:
    with server.app.app_context():
        before = tenants.find_tenant("alice", "open_ai", alice.token)
        alice.connect(glific)
        with recorded_queries() as sent:
            after = tenants.find_tenant("alice", "open_ai", alice.token)
    assert [each and each.glific_way for each in (before, after)] == [None, "api"]
    assert len(sent) == 1
