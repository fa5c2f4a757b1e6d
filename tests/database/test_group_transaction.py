"""Concurrent calls share transactions, and no call is affected by the failure of another."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Event

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from glific_gpt.database import UNAVAILABLE, GroupTransaction, Work, transaction
from glific_gpt.database.group_transaction import MAX_BATCH
from glific_gpt.organizations.tables import MonthlySpend
from tests.database.test_group_commit import CALLS, failures_of, months, spend
from tests.support.database_faults import lock_calls
from tests.support.deferred import wait_until
from tests.support.server import RunningServer, TestOrganization

FAILING = f"{CALLS // 2:07}"

pytestmark = pytest.mark.usefixtures("numbered_organizations")


def set_to_two(session: Session, batch: Sequence[Work]) -> None:
    """Change the rows of the months, which the statements have inserted. Fail for one of them."""
    for work in batch:
        if work.key == FAILING:
            raise ValueError
        session.execute(sa.update(MonthlySpend).where(MonthlySpend.month == work.key).values(usd=Decimal(2)))


def test_only_the_call_with_a_failure_fails(server: RunningServer, alice: TestOrganization) -> None:
    group = GroupTransaction(1.0, 20.0)
    works = [Work([spend(f"{n:07}")], f"{n:07}") for n in range(CALLS)]
    works.append(Work([spend("twice"), spend("twice")]))
    failures = failures_of(server, *[lambda each=each: group.run(each, finish=set_to_two) for each in works])
    assert {n: type(failure) for n, failure in enumerate(failures) if failure} == {
        CALLS // 2: ValueError,
        CALLS: IntegrityError,
    }
    assert months(server) == [f"{n:07}" for n in range(CALLS) if n != CALLS // 2]
    with server.app.app_context(), transaction() as session:
        assert set(session.scalars(sa.select(MonthlySpend.usd))) == {Decimal(2)}


def test_the_organizations_take_turns(server: RunningServer, alice: TestOrganization) -> None:
    batches: list[list[int]] = []
    began, may_go_on = Event(), Event()

    def record(_session: Session, batch: Sequence[Work]) -> None:
        batches.append([each.owner for each in batch])
        began.set()
        assert may_go_on.wait(10)

    def write(number: int, owner: int) -> None:
        with server.app.app_context():
            group.run(Work([spend(f"{number:07}")], owner=owner), record)

    group = GroupTransaction(5.0, 20.0)
    with ThreadPoolExecutor(MAX_BATCH + 2) as pool:
        pool.submit(write, 0, 1)
        assert began.wait(10)
        for number in range(MAX_BATCH):
            pool.submit(write, 1 + number, 1)
        wait_until(lambda: len(group._queue._pending) == MAX_BATCH)
        pool.submit(write, 100, 2)
        wait_until(lambda: len(group._queue._pending) == MAX_BATCH + 1)
        may_go_on.set()
    assert batches[0] == [1]
    assert batches[1][:2] == [1, 2]
    assert len(batches[1]) == MAX_BATCH


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_call_gets_an_error_in_time_when_the_database_stays_locked(
    server: RunningServer, alice: TestOrganization, database_url: str
) -> None:
    group = GroupTransaction(0.2, 5.0)
    works = [Work([spend(f"{n:07}")]) for n in range(10)]
    with lock_calls(database_url):
        failures = failures_of(server, *[lambda each=each: group.run(each) for each in works])
    assert all(isinstance(failure, UNAVAILABLE) for failure in failures)
    assert months(server) == []
