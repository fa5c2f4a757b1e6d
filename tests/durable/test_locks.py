"""Process locks: held by one process as long as it lives, and free as soon as it is killed."""

from collections.abc import Iterator
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest
import sqlalchemy as sa

from glific_gpt.durable.locks import ProcessLocks, locks_for
from tests.durable.conftest import Start, cut_connections, lock_connections
from tests.support.deferred import wait_until

NAME = "machine-4711-abcdef"

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def locks(database_url: str) -> Iterator[ProcessLocks]:
    """The locks of the process that polls."""
    locks = locks_for(sa.make_url(database_url))
    locks.acquire("polling-process")
    yield locks
    locks.release()


def test_a_lock_is_held_by_a_running_process_and_by_a_suspended_one(locks: ProcessLocks, start_program: Start) -> None:
    assert not locks.is_held(NAME)
    program = start_program("hold", NAME, until="held")
    assert locks.is_held(NAME)
    program.send_all(SIGSTOP)
    assert locks.is_held(NAME)
    program.send_all(SIGCONT)
    assert locks.is_held(NAME)


def test_a_lock_is_free_when_its_process_is_killed(locks: ProcessLocks, start_program: Start) -> None:
    program = start_program("hold", NAME, until="held")
    assert locks.is_held(NAME)
    program.send_all(SIGKILL)
    wait_until(lambda: not locks.is_held(NAME), seconds=3)
    assert not locks.is_held("never-started")


def test_a_lock_is_free_when_it_was_released(locks: ProcessLocks, database_url: str) -> None:
    other = locks_for(sa.make_url(database_url))
    other.acquire(NAME)
    assert locks.is_held(NAME)
    other.release()
    # PostgreSQL notices a closed connection a moment later.
    wait_until(lambda: not locks.is_held(NAME), seconds=3)


def test_a_lock_of_a_running_process_cannot_be_taken(locks: ProcessLocks, start_program: Start) -> None:
    start_program("hold", NAME, until="held")
    with locks.try_lock(NAME) as is_free:
        assert not is_free
    assert locks.is_held(NAME)


def test_only_one_of_two_processes_gets_the_lock_of_a_dead_process(locks: ProcessLocks, database_url: str) -> None:
    other = locks_for(sa.make_url(database_url))
    other.acquire("another-polling-process")
    with locks.try_lock(NAME) as mine:
        with other.try_lock(NAME) as theirs:
            assert (mine, theirs) == (True, False)
        assert other.is_held(NAME)
    with other.try_lock(NAME) as theirs:
        assert theirs
    assert not locks.is_held(NAME)
    other.release()


@on_sqlite
def test_on_sqlite_one_process_consumes_until_it_is_killed(start_program: Start) -> None:
    first = start_program("listen", until="may")
    second = start_program("listen", until="may not")
    assert "may" not in second.output.splitlines()
    first.send_all(SIGSTOP)
    lines = second.output.count("\n")
    wait_until(lambda: second.output.count("\n") > lines + 2)
    assert "may" not in second.output.splitlines()
    first.send_all(SIGKILL)
    wait_until(lambda: "may" in second.output.splitlines(), seconds=3)


@on_sqlite
def test_a_consumer_stays_a_consumer(locks: ProcessLocks) -> None:
    assert locks.try_become_consumer()
    assert locks.try_become_consumer()


@on_postgresql
def test_on_postgresql_every_process_may_consume(locks: ProcessLocks, start_program: Start) -> None:
    start_program("listen", until="may")
    assert locks.try_become_consumer()


@on_postgresql
def test_a_lock_is_acquired_again_when_its_connection_was_cut(
    locks: ProcessLocks, start_program: Start, database_url: str
) -> None:
    start_program("hold", NAME, until="held")
    before = lock_connections(database_url)
    cut_connections(database_url)
    locks.renew()
    wait_until(
        lambda: len(lock_connections(database_url)) == 2 and not lock_connections(database_url) & before, seconds=3
    )
    assert locks.is_held(NAME)
