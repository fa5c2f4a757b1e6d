"""A call is handed over whole or not at all, and its caller is told in time even when the database is not there."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest
import sqlalchemy as sa

from tests.conftest import StartServer
from tests.support.database_troubles import locked
from tests.support.glific_stand_in import GlificStandIn
from tests.support.later import count_of_deliveries, is_in_the_queue, pending, wait_until
from tests.support.openai_behaviours import answer
from tests.support.openai_exchange import Exchange
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import require_error

DEADLINE_SECONDS = 0.5
REPLY_MARGIN_SECONDS = 0.5
"""What is left of Glific's five seconds after the usual deadline."""
SLACK_SECONDS = 0.2
"""Seconds more that a busy machine may need."""


@contextmanager
def workflow_table_locked(url: str) -> Iterator[None]:
    """Nobody can hand in work meanwhile; on PostgreSQL all else can be written."""
    lock = "BEGIN IMMEDIATE" if url.startswith("sqlite") else "LOCK TABLE dbos.workflow_status IN EXCLUSIVE MODE"
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        connection.execute(sa.text(lock))
        yield
    engine.dispose()


database_failures = pytest.mark.parametrize("trouble", [locked, workflow_table_locked])
DatabaseFailure = Callable[[str], AbstractContextManager[None]]


@database_failures
def test_it_accepts_no_call_that_it_cannot_enqueue(
    server: RunningServer,
    alice: TestOrganization,
    openai: OpenAIStandIn,
    glific: GlificStandIn,
    database_url: str,
    trouble: DatabaseFailure,
) -> None:
    alice.connect(glific)
    with trouble(database_url):
        before = time.monotonic()
        require_error(alice.ask_later(), "overloaded")
        assert time.monotonic() - before < 2.5
    assert count_of_deliveries(server) == 0
    assert not is_in_the_queue(server)
    assert openai.requests == []
    pending(alice.ask_later())
    assert count_of_deliveries(server) == 1
    assert is_in_the_queue(server)


@pytest.mark.parametrize("works", [True, False], ids=["works", "does not work"])
@database_failures
def test_it_answers_deadline_exceeded_in_time_when_it_cannot_defer(
    start_server: StartServer,
    openai: OpenAIStandIn,
    glific: GlificStandIn,
    database_url: str,
    trouble: DatabaseFailure,
    works: bool,
) -> None:
    alice = start_server(works=works, deadline_seconds=DEADLINE_SECONDS).add_organization("alice")
    alice.connect(glific)
    with ExitStack() as stack:

        def behave(exchange: Exchange) -> None:
            stack.enter_context(trouble(database_url))
            answer(after=DEADLINE_SECONDS + 1)(exchange)

        openai.will(behave)
        before = time.monotonic()
        reply = alice.ask_later("auto")
        seconds = time.monotonic() - before
    require_error(reply, "deadline_exceeded")
    assert seconds < DEADLINE_SECONDS + REPLY_MARGIN_SECONDS + SLACK_SECONDS


def test_it_resumes_no_flow_that_received_an_error(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn, database_url: str
) -> None:
    alice = start_server(works=True, deadline_seconds=DEADLINE_SECONDS).add_organization("alice")
    alice.connect(glific)
    with ExitStack() as stack:

        def behave(exchange: Exchange) -> None:
            stack.enter_context(locked(database_url))
            answer(after=DEADLINE_SECONDS)(exchange)

        openai.will(behave)
        require_error(alice.ask_later("auto"), "deadline_exceeded")
    wait_until(lambda: not is_in_the_queue(alice.server))
    assert glific.resumptions == []
    assert count_of_deliveries(alice.server) == 0
    call_id = pending(alice.ask_later())
    assert alice.settled(call_id).state == "delivered"
    assert [resumed.result["call_id"] for resumed in glific.resumptions] == [call_id]
