"""Deferral is atomic, and the caller gets a reply in time even when the database is unavailable."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from glific_gpt.calls import pipeline, records
from glific_gpt.calls.context import CallContext
from glific_gpt.calls.deferred import deferral
from glific_gpt.calls.tables import Call
from glific_gpt.database import Work, execute_all, transaction
from glific_gpt.database.group_transaction import Check, Finish
from glific_gpt.database.timeouts import STATEMENT_TIMEOUT_SECONDS
from tests.conftest import StartServer
from tests.support.database_faults import lock_calls
from tests.support.deferred import (
    count_deliveries,
    find_call,
    has_unfinished_work,
    pending_call_id,
    start_worker_in_process,
    wait_until,
)
from tests.support.durations import is_faster_once
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import answer
from tests.support.openai_exchange import Exchange
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import require_error, require_ok

DEADLINE_SECONDS = 0.5
LATER_DEADLINE_SECONDS = 1.5
"""Time enough for a fault to begin, on a busy machine too."""
REPLY_MARGIN_SECONDS = 0.5
"""Part of Glific's five seconds that remains after the usual deadline."""


@contextmanager
def workflow_table_locked(url: str) -> Iterator[None]:
    """Prevent workflows from being enqueued. On PostgreSQL, other tables can be written."""
    lock = "BEGIN IMMEDIATE" if url.startswith("sqlite") else "LOCK TABLE dbos.workflow_status IN EXCLUSIVE MODE"
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        connection.execute(sa.text(lock))
        yield
    engine.dispose()


database_failures = pytest.mark.parametrize("database_failure", [lock_calls, workflow_table_locked])
DatabaseFailure = Callable[[str], AbstractContextManager[None]]


def test_a_call_whose_commit_succeeded_after_its_time_out_is_not_answered_later(
    server: RunningServer,
    alice: TestOrganization,
    openai: OpenAIStandIn,
    glific: GlificStandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice.connect(glific)
    enqueuing = server.services.pipeline.deferrer.enqueuing
    run = enqueuing.run

    def commit_too_late(work: Work, check: Check, finish: Finish) -> None:
        run(work, check, finish)
        raise PoolTimeoutError

    monkeypatch.setattr(enqueuing, "run", commit_too_late)
    monkeypatch.setattr(pipeline, "ABANDON_AFTER_SECONDS", 0.1)
    call_id = require_error(alice.ask_deferred(), "overloaded")["call_id"]
    wait_until(lambda: find_call(alice, str(call_id))["status"] == "error")
    start_worker_in_process(server)
    wait_until(lambda: not has_unfinished_work(server))
    assert (openai.requests, glific.resumptions) == ([], [])
    assert find_call(alice, str(call_id))["error_code"] == "overloaded"


@database_failures
def test_it_accepts_no_call_that_it_cannot_enqueue(
    server: RunningServer,
    alice: TestOrganization,
    openai: OpenAIStandIn,
    glific: GlificStandIn,
    database_url: str,
    database_failure: DatabaseFailure,
) -> None:
    alice.connect(glific)
    with database_failure(database_url):
        started = time.monotonic()
        require_error(alice.ask_deferred(), "overloaded")
        assert time.monotonic() - started < 2.5
    assert count_deliveries(server) == 0
    assert not has_unfinished_work(server)
    assert openai.requests == []
    pending_call_id(alice.ask_deferred())
    assert count_deliveries(server) == 1
    assert has_unfinished_work(server)


@pytest.mark.parametrize("with_worker", [True, False], ids=["worker", "no worker"])
@database_failures
def test_it_answers_deadline_exceeded_in_time_when_it_cannot_defer(
    start_server: StartServer,
    openai: OpenAIStandIn,
    glific: GlificStandIn,
    database_url: str,
    database_failure: DatabaseFailure,
    with_worker: bool,
) -> None:
    alice = start_server(with_worker=with_worker, deadline_seconds=LATER_DEADLINE_SECONDS).add_organization("alice")
    alice.connect(glific)

    def measure() -> float:
        with ExitStack() as stack:

            def behave(exchange: Exchange) -> None:
                stack.enter_context(database_failure(database_url))
                answer(after=LATER_DEADLINE_SECONDS + 1)(exchange)

            openai.will(behave)
            started = time.monotonic()
            reply = alice.ask_deferred("auto")
            elapsed_seconds = time.monotonic() - started
        require_error(reply, "deadline_exceeded")
        return elapsed_seconds

    # With the usual time-outs of the database, every reply would take longer.
    assert is_faster_once(measure, LATER_DEADLINE_SECONDS + STATEMENT_TIMEOUT_SECONDS)


def test_the_time_outs_of_a_deferral_leave_time_for_the_reply() -> None:
    assert deferral.DEFER_QUEUE_TIMEOUT_SECONDS + deferral.DEFER_STATEMENT_TIMEOUT_SECONDS < REPLY_MARGIN_SECONDS


def test_it_resumes_no_flow_that_received_an_error(
    start_server: StartServer,
    openai: OpenAIStandIn,
    glific: GlificStandIn,
    database_url: str,
) -> None:
    alice = start_server(with_worker=True, deadline_seconds=DEADLINE_SECONDS).add_organization("alice")
    alice.connect(glific)
    with ExitStack() as stack:

        def behave(exchange: Exchange) -> None:
            stack.enter_context(lock_calls(database_url))
            answer(after=DEADLINE_SECONDS)(exchange)

        openai.will(behave)
        require_error(alice.ask_deferred("auto"), "deadline_exceeded")
    wait_until(lambda: not has_unfinished_work(alice.server))
    assert glific.resumptions == []
    assert count_deliveries(alice.server) == 0
    call_id = pending_call_id(alice.ask_deferred())
    assert alice.wait_for_delivery(call_id).state == "delivered"
    assert [resumed.result["call_id"] for resumed in glific.resumptions] == [call_id]


def test_a_call_that_has_an_error_meanwhile_does_not_become_pending(
    server: RunningServer, alice: TestOrganization
) -> None:
    """The transaction of a deferral may be committed after its caller has got an error."""
    require_ok(alice.ask())
    (call,) = alice.calls()
    with server.app.app_context(), transaction() as session:
        session.execute(sa.update(Call).values(status="error"))
        context = CallContext(1, "parse_via_chat_gpt", call_id=call["call_id"])
        execute_all(session, [records.pending_statement(context)])
    assert [each["status"] for each in alice.calls()] == ["error"]
