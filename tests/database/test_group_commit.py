"""Concurrent writes are committed together, and no call is affected by the failure of another."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from glific_gpt.database import UNAVAILABLE, GroupCommit, Statement, group_commit, transaction
from glific_gpt.database.base import db
from glific_gpt.database.group_commit import commit_batch
from glific_gpt.organizations.tables import MonthlySpend
from glific_gpt.runtime import bridge
from tests.support.database_faults import lock_calls
from tests.support.deferred import wait_until
from tests.support.event_loop import server_loop
from tests.support.server import RunningServer, TestOrganization

pytestmark = pytest.mark.usefixtures("numbered_organizations")

TABLE: Any = MonthlySpend.__table__
INSERT = TABLE.insert().inline()
CALLS = 60


def spend(month: str, usd: Decimal = Decimal(1)) -> Statement:
    return INSERT, {"organization_id": 1, "month": month, "usd": usd}


def months(server: RunningServer) -> list[str]:
    with server.app.app_context(), transaction() as session:
        return sorted(session.scalars(sa.select(MonthlySpend.month)))


def failures_of(server: RunningServer, *functions: Callable[[], None]) -> list[Exception | None]:
    """Run the functions at the same time and return the exception of each, or None."""

    def failure_of(function: Callable[[], None]) -> Exception | None:
        with server.app.app_context():
            try:
                function()
            except Exception as failure:  # noqa: BLE001 - the test expects it
                return failure
        return None

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(failure_of, functions))


def test_every_write_is_committed_when_the_call_returns(server: RunningServer, alice: TestOrganization) -> None:
    group = GroupCommit(1.0)
    writes = [lambda n=n: group.write(spend(f"{n:07}")) for n in range(CALLS)]
    assert failures_of(server, *writes) == [None] * CALLS
    assert months(server) == [f"{n:07}" for n in range(CALLS)]


def test_only_the_call_whose_row_exists_already_fails(server: RunningServer, alice: TestOrganization) -> None:
    group = GroupCommit(1.0)
    writes = [lambda n=n: group.write(spend(f"{n // 2:07}")) for n in range(CALLS)]
    failures = [failure for failure in failures_of(server, *writes) if failure is not None]
    assert len(failures) == CALLS // 2
    assert all(isinstance(failure, IntegrityError) for failure in failures)
    assert len(months(server)) == CALLS // 2


def test_only_the_call_with_a_value_that_the_database_refuses_fails(
    server: RunningServer, alice: TestOrganization
) -> None:
    group = GroupCommit(1.0)
    too_large = spend("too_big", Decimal(10) ** 20)
    statements = [too_large if n == CALLS // 2 else spend(f"{n:07}") for n in range(CALLS)]
    failures = failures_of(server, *[lambda each=each: group.write(each) for each in statements])
    assert [n for n, failure in enumerate(failures) if failure] == [CALLS // 2]
    assert len(months(server)) == CALLS - 1


def test_the_statements_of_a_call_are_committed_all_or_none(server: RunningServer, alice: TestOrganization) -> None:
    group = GroupCommit(1.0)
    with server.app.app_context():
        group.write(spend("2026-01"))
        with pytest.raises(IntegrityError):
            group.write(spend("2026-02"), spend("2026-01"))
    assert months(server) == ["2026-01"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_call_gets_an_error_in_time_when_the_database_stays_locked(
    server: RunningServer, alice: TestOrganization, database_url: str
) -> None:
    group = GroupCommit(0.2)
    writes = [lambda n=n: group.write(spend(f"{n:07}")) for n in range(10)]
    with lock_calls(database_url):
        failures = failures_of(server, *writes)
    assert all(isinstance(failure, UNAVAILABLE) for failure in failures)
    assert months(server) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_only_call_on_the_loop_writes_there_and_in_a_thread_when_the_file_is_locked(
    server: RunningServer, alice: TestOrganization, database_url: str
) -> None:
    group = GroupCommit(0.2)

    def write(month: str) -> None:
        with server.app.app_context():
            group.write(spend(month))

    with server_loop() as loop:
        for month in ("first", "second"):  # the second one uses the connection that was kept
            loop.run_until_complete(bridge.run(write, month))
        with lock_calls(database_url), pytest.raises(OperationalError):
            loop.run_until_complete(bridge.run(write, "locked"))
        with pytest.raises(IntegrityError):
            loop.run_until_complete(bridge.run(write, "first"))
        loop.run_until_complete(bridge.run(write, "last"))
    assert months(server) == ["first", "last", "second"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_calls_on_the_loop_and_in_threads_write_at_the_same_time(
    server: RunningServer, alice: TestOrganization
) -> None:
    group = GroupCommit(1.0)

    def write(month: str) -> None:
        with server.app.app_context():
            group.write(spend(month))

    async def on_loop() -> list[Any]:
        calls = [bridge.run(write, f"loop{n:03}") for n in range(CALLS)]
        return await asyncio.gather(*calls, return_exceptions=True)

    with server_loop() as loop, ThreadPoolExecutor(8) as pool:
        in_threads = [pool.submit(write, f"pool{n:03}") for n in range(CALLS)]
        assert loop.run_until_complete(on_loop()) == [None] * CALLS
        assert [each.result() for each in in_threads] == [None] * CALLS
    assert len(months(server)) == 2 * CALLS


def test_statements_of_several_calls_keep_the_order_of_each_call(
    server: RunningServer, alice: TestOrganization
) -> None:
    raise_to_two = (TABLE.update().where(TABLE.c.month == sa.bindparam("of")).values(usd=Decimal(2)), {"of": "2026-02"})
    delete_ones = TABLE.delete().where(TABLE.c.usd == Decimal(1), TABLE.c.month == sa.bindparam("of"))
    short = [spend("2026-01"), (delete_ones, {"of": "2026-01"})]
    long = [spend("2026-02"), raise_to_two, (delete_ones, {"of": "2026-02"})]
    with server.app.app_context():
        commit_batch(db.engine, [short, long], 1.0)
    assert months(server) == ["2026-02"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_write_that_gave_up_in_the_queue_is_never_committed(
    server: RunningServer, alice: TestOrganization, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "POOL_TIMEOUT_SECONDS", 0.3)
    group = GroupCommit(60.0)
    with lock_calls(database_url), ThreadPoolExecutor(1) as pool:
        first = pool.submit(failures_of, server, lambda: group.write(spend("first")))
        wait_until(lambda: group._queue._is_writing and not group._queue._pending)
        (failure,) = failures_of(server, lambda: group.write(spend("second")))
        assert isinstance(failure, PoolTimeoutError)
        assert "queued" in str(failure)
        assert "confirm" in str(first.result()[0])
    wait_until(lambda: months(server) == ["first"])  # it was being committed
    assert failures_of(server, lambda: group.write(spend("third"))) == [None]
    assert months(server) == ["first", "third"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_writes_of_calls_that_run_together_are_batched_on_the_loop(
    server: RunningServer, alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []

    def count(engine: Any, batch: Any, timeout: float, *, keep: bool = False) -> None:
        batches.append(len(batch))
        commit_batch(engine, batch, timeout, keep=keep)

    monkeypatch.setattr(group_commit, "commit_batch", count)
    group = GroupCommit(1.0)

    def write(month: str) -> None:
        bridge.sleep(0.1)  # until all calls have begun
        with server.app.app_context():
            group.write(spend(month))

    async def all_together() -> None:
        await asyncio.gather(*[bridge.run(write, f"{n:07}") for n in range(CALLS)])

    with server_loop() as loop:
        loop.run_until_complete(all_together())
    assert len(months(server)) == CALLS
    assert len(batches) < CALLS / 2
