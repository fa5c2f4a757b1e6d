"""On PostgreSQL, the event loop reads and writes on connections of its own, without a thread."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from glific_gpt.calls.tenant import FIND_BY_SLUG
from glific_gpt.database import GroupCommit, Statement, event_loop_connections, failures, fetch_one, transaction
from glific_gpt.database.base import db
from glific_gpt.database.event_loop_connections import EventLoopConnections
from glific_gpt.database.pipelined_connection import ConnectionLost, PipelinedConnection
from glific_gpt.database.session import EVENT_LOOP
from glific_gpt.organizations.tables import MonthlySpend, Organization
from glific_gpt.runtime import bridge, call_context, call_threads
from tests.conftest import StartServer
from tests.support.deferred import wait_until
from tests.support.event_loop import server_loop
from tests.support.network_faults import FaultyProxy
from tests.support.server import RunningServer, TestOrganization

pytestmark = [
    pytest.mark.usefixtures("numbered_organizations"),
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
]

TABLE: Any = MonthlySpend.__table__
INSERT = TABLE.insert().inline()
FIND = sa.select(Organization.slug).where(Organization.slug == sa.bindparam("slug"))
CALLS = 30

THIS_PROCESS = "FROM pg_stat_activity WHERE query LIKE '%organizations.slug%' AND pid <> pg_backend_pid()"


def spend(month: str, usd: Decimal = Decimal(1)) -> Statement:
    return INSERT, {"organization_id": 1, "month": month, "usd": usd}


def months(server: RunningServer) -> list[str]:
    with server.app.app_context(), transaction() as session:
        return sorted(session.scalars(sa.select(MonthlySpend.month)))


def run_on_loop(server: RunningServer, *functions: Callable[[], object]) -> list[Any]:
    """Run the functions as concurrent calls on one event loop. Returns the result or exception of each."""

    def with_app(function: Callable[[], object]) -> object:
        with server.app.app_context():
            return function()

    async def run_all() -> list[Any]:
        return await asyncio.gather(*[bridge.run(with_app, each) for each in functions], return_exceptions=True)

    with server_loop() as loop:
        results = loop.run_until_complete(run_all())
        with server.app.app_context():
            event_loop_connections.close_connections(db.engines[EVENT_LOOP])
        return results


def find() -> object:
    return fetch_one(FIND, slug="alice")


def execute(server: RunningServer, sql: str) -> None:
    """Execute SQL on a connection of its own, in a thread."""

    def in_thread() -> None:
        with server.app.app_context(), db.engine.connect() as connection:
            connection.execute(sa.text(sql))
            connection.commit()

    call_threads.run_in_executor(in_thread)


@contextmanager
def locked_spending(server: RunningServer) -> Iterator[sa.Connection]:
    with server.app.app_context():
        engine = db.engine
    with engine.connect() as connection:
        connection.execute(sa.text("LOCK TABLE monthly_spend IN EXCLUSIVE MODE"))
        yield connection


@pytest.fixture
def _without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to run anything in a thread but the opening of connections."""

    def refuse(_function: object) -> None:
        raise AssertionError("A thread was needed.")

    monkeypatch.setattr(call_threads, "run_in_executor", refuse)


@pytest.mark.usefixtures("_without_threads")
def test_calls_read_and_write_without_a_thread(server: RunningServer, alice: TestOrganization) -> None:
    group = GroupCommit(0.5)

    def read_and_write(number: int) -> object:
        found = find()
        group.write(spend(f"{number:07}"))
        return found

    calls = [lambda n=n: read_and_write(n) for n in range(CALLS)]
    assert run_on_loop(server, *calls) == [{"slug": "alice"}] * CALLS
    assert months(server) == [f"{n:07}" for n in range(CALLS)]


@pytest.mark.usefixtures("_without_threads")
def test_calls_that_run_together_share_transactions_and_few_connections(
    server: RunningServer, alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[PipelinedConnection] = []
    send = PipelinedConnection.send

    def count(connection: PipelinedConnection, commands: Any, seconds: float) -> Any:
        batches.append(connection)
        return send(connection, commands, seconds)

    monkeypatch.setattr(PipelinedConnection, "send", count)
    group = GroupCommit(1.0)

    def write(month: str) -> None:
        bridge.sleep(0.05)  # until all calls have begun
        group.write(spend(month))

    assert run_on_loop(server, *[lambda n=n: write(f"{n:07}") for n in range(CALLS)]) == [None] * CALLS
    assert len(months(server)) == CALLS
    assert len(batches) < CALLS / 2
    with server.app.app_context():
        assert len(set(batches)) <= db.engines[EVENT_LOOP].pool.size()  # type: ignore[attr-defined]


def test_the_loop_reads_the_same_values_as_a_thread(server: RunningServer, alice: TestOrganization) -> None:
    server.allow_models(["gpt-*"])
    alice.change(monthly_budget_usd=Decimal("1.000000001"), fallback_message="नमस्ते", allowed_models=["gpt-4o"])

    def read() -> object:
        return fetch_one(FIND_BY_SLUG, slug="alice", provider="open_ai", token_hash="")

    with server.app.app_context():
        in_thread = read()
    assert run_on_loop(server, read) == [in_thread]
    assert run_on_loop(server, lambda: fetch_one(FIND, slug="nobody")) == [None]


def test_the_statements_of_a_call_are_committed_all_or_none(server: RunningServer, alice: TestOrganization) -> None:
    group = GroupCommit(1.0)

    def write(*calls: str) -> Callable[[], None]:
        return lambda: group.write(*[spend(month) for month in calls])

    def alone() -> None:
        group.write(spend("2026-01"))
        with pytest.raises(IntegrityError):
            group.write(spend("2026-02"), spend("2026-01"))
        group.write(spend("2026-03"))

    assert run_on_loop(server, alone) == [None]
    together = run_on_loop(server, write("2026-04"), write("2026-05", "2026-03"), write("2026-06"))
    assert [type(each) for each in together] == [type(None), IntegrityError, type(None)]
    assert months(server) == ["2026-01", "2026-03", "2026-04", "2026-06"]


@pytest.mark.usefixtures("_without_threads")
@pytest.mark.parametrize("refused", [spend("a\0b"), spend("too_big", Decimal(10) ** 20)])
def test_a_value_that_is_refused_does_not_disturb_the_connection(
    server: RunningServer, alice: TestOrganization, refused: Statement
) -> None:
    group = GroupCommit(1.0)

    def write() -> object:
        with pytest.raises(DataError):
            group.write(spend("2026-01"), refused)
        return find()

    assert run_on_loop(server, write) == [{"slug": "alice"}]
    assert months(server) == []


@pytest.mark.usefixtures("_without_threads")
def test_a_statement_may_be_larger_than_what_the_socket_takes(server: RunningServer, alice: TestOrganization) -> None:
    assert run_on_loop(server, lambda: fetch_one(FIND, slug="x" * 8_000_000), find) == [None, {"slug": "alice"}]


def test_a_connection_that_the_server_ended_is_replaced(server: RunningServer, alice: TestOrganization) -> None:
    def use_twice() -> object:
        first = find()
        execute(server, f"SELECT pg_terminate_backend(pid) {THIS_PROCESS}")
        bridge.sleep(0.02)  # the loop notices it
        with server.app.app_context():
            assert not event_loop_connections.connections_of(db.engines[EVENT_LOOP])._connections
        return first, find(), find()

    assert run_on_loop(server, use_twice) == [({"slug": "alice"},) * 3]


def test_a_write_whose_connection_breaks_is_repeated_in_a_thread(
    server: RunningServer, alice: TestOrganization
) -> None:
    group = GroupCommit(1.0)
    with locked_spending(server) as lock:

        def break_connection() -> None:
            bridge.sleep(0.1)  # until the write waits for the lock
            execute(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            call_threads.run_in_executor(lock.rollback)

        assert run_on_loop(server, lambda: group.write(spend("2026-01")), break_connection) == [None, None]
    assert months(server) == ["2026-01"]


def test_a_write_that_was_committed_before_its_connection_broke_is_unavailable_and_no_duplicate(
    server: RunningServer, alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call would otherwise be told that another one with its key is in progress."""
    commit = EventLoopConnections.commit

    def lose_reply(*arguments: Any) -> None:
        commit(*arguments)
        raise DBAPIError.instance(None, None, ConnectionLost("The connection is lost."), Exception)

    monkeypatch.setattr(EventLoopConnections, "commit", lose_reply)
    group = GroupCommit(1.0)
    (failure,) = run_on_loop(server, lambda: group.write(spend("2026-01")))
    assert isinstance(failure, OperationalError)
    assert failures.describe(failure) is failures.CONNECTION_LOST
    assert months(server) == ["2026-01"]


def test_a_statement_that_a_migration_made_stale_is_repeated(server: RunningServer, alice: TestOrganization) -> None:
    def migrate_between() -> object:
        found = [find()]
        for kind in ("text", "varchar(63)"):
            execute(server, f"ALTER TABLE organizations ALTER slug TYPE {kind}")
            found.append(find())
        return found

    assert run_on_loop(server, migrate_between) == [[{"slug": "alice"}] * 3]


@pytest.mark.usefixtures("_without_threads")
def test_a_locked_row_is_waited_for_no_longer_than_the_time_out(server: RunningServer, alice: TestOrganization) -> None:
    group = GroupCommit(0.1)

    def write_and_find() -> object:
        with pytest.raises(OperationalError) as caught:
            group.write(spend("2026-01"))
        return failures.describe(caught.value), find()

    with locked_spending(server):
        ((failure, found),) = run_on_loop(server, write_and_find)
    assert failure in {failures.LOCK_TIMEOUT, failures.STATEMENT_TIMEOUT}  # PostgreSQL's own, before the socket's
    assert found == {"slug": "alice"}
    assert months(server) == []


def test_the_deadline_of_a_call_ends_its_wait_and_keeps_the_connection(
    server: RunningServer, alice: TestOrganization
) -> None:
    group = GroupCommit(1.0)
    with locked_spending(server) as lock:

        def give_up() -> object:
            find()  # opens the connection, which may take longer than the deadline
            call_context.wait_until(time.monotonic() + 0.05)
            with pytest.raises(failures.CallTimeout):
                group.write(spend("2026-01"))
            call_context.wait_until(None)
            with server.app.app_context():
                pool = event_loop_connections.connections_of(db.engines[EVENT_LOOP])
            call_threads.run_in_executor(lock.rollback)
            bridge.sleep(0.1)
            return len(pool._idle), find()

        assert run_on_loop(server, give_up) == [(1, {"slug": "alice"})]
    # The commit continues without the call.
    wait_until(lambda: months(server) == ["2026-01"])


def test_a_call_waits_for_a_connection_no_longer_than_the_time_out(
    server: RunningServer, alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_loop_connections, "POOL_TIMEOUT_SECONDS", 0.7)  # enough to open a connection
    with server.app.app_context():
        size = db.engines[EVENT_LOOP].pool.size()  # type: ignore[attr-defined]
    groups = [GroupCommit(1.5) for _ in range(size)]
    with locked_spending(server):

        def find_late() -> object:
            bridge.sleep(0.1)  # until all connections wait for the lock
            with pytest.raises(PoolTimeoutError):
                find()
            bridge.sleep(1.6)
            return find()

        *writes, found = run_on_loop(server, *[lambda g=g: g.write(spend("x")) for g in groups], find_late)
    assert {type(each) for each in writes} == {OperationalError}
    assert found == {"slug": "alice"}


def test_a_silent_server_times_out_and_its_connection_is_closed(
    start_server: StartServer, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_loop_connections, "STATEMENT_TIMEOUT_SECONDS", 0.1)
    target = sa.make_url(database_url)
    with FaultyProxy(target.host or "127.0.0.1", target.port or 5432) as proxy:
        url = target.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        server = start_server(database_url=url)
        server.add_organization("alice")

        def find_twice() -> object:
            find()
            proxy.stop_forwarding()
            with pytest.raises(OperationalError) as caught:
                find()
            return failures.describe(caught.value), len(
                event_loop_connections.connections_of(db.engines[EVENT_LOOP])._connections
            )

        assert run_on_loop(server, find_twice) == [(failures.NO_ANSWER, 0)]


def test_a_database_without_free_connections_is_asked_by_a_thread(
    server: RunningServer, alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refused(psycopg.OperationalError):
        sqlstate = "53300"

    def refuse() -> None:
        raise Refused

    with server.app.app_context():
        monkeypatch.setattr(db.engines[EVENT_LOOP], "raw_connection", refuse)
    group = GroupCommit(1.0)

    def write_and_find() -> object:
        group.write(spend("2026-01"))
        return find()

    assert run_on_loop(server, write_and_find) == [{"slug": "alice"}]
    assert months(server) == ["2026-01"]


def test_the_connections_of_the_loop_are_closed_with_all_others(server: RunningServer, alice: TestOrganization) -> None:
    def dispose() -> object:
        find()
        pool = event_loop_connections.connections_of(db.engines[EVENT_LOOP])
        (connection,) = pool._connections
        engine = db.engine
        call_threads.run_in_executor(engine.dispose)
        bridge.sleep(0.01)
        return connection.is_open, find()

    assert run_on_loop(server, dispose) == [(False, {"slug": "alice"})]
