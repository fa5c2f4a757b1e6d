"""Locks of processes: held as long as the process lives, by one alone, and free the moment it is killed."""

from collections.abc import Iterator
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest
import sqlalchemy as sa

from glific_gpt.durable.locks import Locks, locks_for
from tests.durable.conftest import Start, cut_connections, lock_connections
from tests.support.later import wait_until

NAME = "machine-4711-abcdef"

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def locks(database_url: str) -> Iterator[Locks]:
    """Those of another process, which looks."""
    locks = locks_for(sa.make_url(database_url))
    locks.hold("one-that-looks")
    yield locks
    locks.release()


def test_it_is_held_by_a_process_that_lives_and_by_one_that_is_stopped(locks: Locks, start_program: Start) -> None:
    assert not locks.is_held(NAME)
    program = start_program("hold", NAME, says="held")
    assert locks.is_held(NAME)
    program.send_all(SIGSTOP)
    assert locks.is_held(NAME)
    program.send_all(SIGCONT)
    assert locks.is_held(NAME)


def test_it_is_free_when_the_process_is_killed(locks: Locks, start_program: Start) -> None:
    program = start_program("hold", NAME, says="held")
    assert locks.is_held(NAME)
    program.send_all(SIGKILL)
    wait_until(lambda: not locks.is_held(NAME), seconds=3)
    assert not locks.is_held("one-that-never-was")


def test_it_is_free_when_it_was_given_back(locks: Locks, database_url: str) -> None:
    other = locks_for(sa.make_url(database_url))
    other.hold(NAME)
    assert locks.is_held(NAME)
    other.release()
    assert not locks.is_held(NAME)


def test_it_cannot_be_taken_from_one_that_lives(locks: Locks, start_program: Start) -> None:
    start_program("hold", NAME, says="held")
    with locks.taking(NAME) as free:
        assert not free
    assert locks.is_held(NAME)


def test_it_is_taken_by_one_alone_and_given_back(locks: Locks, database_url: str) -> None:
    other = locks_for(sa.make_url(database_url))
    other.hold("another-that-looks")
    with locks.taking(NAME) as mine:
        with other.taking(NAME) as theirs:
            assert (mine, theirs) == (True, False)
        assert other.is_held(NAME)
    with other.taking(NAME) as theirs:
        assert theirs
    assert not locks.is_held(NAME)
    other.release()


@on_sqlite
def test_the_queue_is_one_processs_until_it_is_killed_and_then_anothers(start_program: Start) -> None:
    first = start_program("listen", says="may")
    second = start_program("listen", says="may not")
    assert "may" not in second.output.splitlines()
    first.send_all(SIGSTOP)
    said = second.output.count("\n")
    wait_until(lambda: second.output.count("\n") > said + 2)
    assert "may" not in second.output.splitlines()
    first.send_all(SIGKILL)
    wait_until(lambda: "may" in second.output.splitlines(), seconds=3)


@on_sqlite
def test_who_may_take_work_may_until_it_ends(locks: Locks) -> None:
    assert locks.may_listen()
    assert locks.may_listen()


@on_postgresql
def test_the_queue_is_every_processs_on_postgresql(locks: Locks, start_program: Start) -> None:
    start_program("listen", says="may")
    assert locks.may_listen()


@on_postgresql
def test_it_is_taken_again_when_its_connection_was_cut(locks: Locks, start_program: Start, database_url: str) -> None:
    start_program("hold", NAME, says="held")
    before = lock_connections(database_url)
    cut_connections(database_url)
    locks.keep()
    wait_until(
        lambda: len(lock_connections(database_url)) == 2 and not lock_connections(database_url) & before, seconds=3
    )
    assert locks.is_held(NAME)
