"""Large writes have transactions of their own, one at a time, and organizations take turns."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from glific_gpt.database import GroupTransaction, Work, large_writes, run_large
from glific_gpt.database.large_writes import LARGE_BYTES
from tests.database.test_group_commit import failures_of, months, spend
from tests.support.deferred import wait_until
from tests.support.server import RunningServer, TestOrganization

pytestmark = pytest.mark.usefixtures("numbered_organizations")

LARGE_CALLS = range(4)
SMALL_CALLS = range(4, 24)


def test_a_large_write_shares_no_transaction(server: RunningServer, alice: TestOrganization) -> None:
    batches: list[list[int]] = []

    def record(_session: Session, batch: Sequence[Work]) -> None:
        batches.append([each.stored_bytes for each in batch])

    def work(number: int, stored_bytes: int) -> Callable[[], None]:
        return lambda: group.run(Work([spend(f"{number:07}")], owner=1, stored_bytes=stored_bytes), record)

    group = GroupTransaction(1.0, 20.0)
    small = [work(number, LARGE_BYTES - 1) for number in SMALL_CALLS]
    large = [work(number, LARGE_BYTES) for number in LARGE_CALLS]
    assert set(failures_of(server, *large, *small)) == {None}
    assert [LARGE_BYTES] * len(large) == [size for batch in batches for size in batch if size == LARGE_BYTES]
    assert all(len(batch) == 1 for batch in batches if LARGE_BYTES in batch)
    assert months(server) == [f"{number:07}" for number in (*LARGE_CALLS, *SMALL_CALLS)]


def write_until(began: Event, may_end: Event) -> None:
    began.set()
    assert may_end.wait(10)


def queued() -> int:
    return len(large_writes._thread)


def is_queued(number: int) -> bool:
    return queued() == number


def test_the_large_writes_of_organizations_take_turns() -> None:
    written: list[int] = []
    began, may_end = Event(), Event()
    with ThreadPoolExecutor(10) as pool:
        pool.submit(run_large, 0, partial(write_until, began, may_end), 20)
        assert began.wait(10)
        for number, owner in enumerate((1, 1, 1, 2), 1):
            pool.submit(run_large, owner, partial(written.append, owner), 20)
            wait_until(partial(is_queued, number))
        may_end.set()
    assert written == [1, 2, 1, 1]


def test_a_large_write_that_waits_too_long_is_not_done() -> None:
    written: list[int] = []
    began, may_end = Event(), Event()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(run_large, 1, partial(write_until, began, may_end), 0.01)
        assert began.wait(10)
        with pytest.raises(PoolTimeoutError):
            run_large(2, partial(written.append, 2), 0.01)
        may_end.set()
        assert first.exception() is None  # it has begun in time, and may take longer
        run_large(3, partial(written.append, 3), 20)
    assert written == [3]


def test_a_failure_is_raised_where_the_call_waits() -> None:
    with pytest.raises(ZeroDivisionError):
        run_large(1, lambda: 1 // 0, 20)
