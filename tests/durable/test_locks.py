"""Process locks: held by one process as long as it lives, and free as soon as it is killed."""

import fcntl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

import psycopg
import pytest
import sqlalchemy as sa

from glific_gpt.durable import locks as locks_module
from glific_gpt.durable.locks import FileLocks, PostgresLocks, ProcessLocks, locks_for
from tests.durable.conftest import Start, cut_connections, lock_connections
from tests.support.deferred import wait_until
from tests.support.network_faults import FaultyProxy

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
    wait_until(lambda: not locks.is_held(NAME))
    assert not locks.is_held("never-started")


def test_a_lock_is_free_when_it_was_released(locks: ProcessLocks, database_url: str) -> None:
    other = locks_for(sa.make_url(database_url))
    other.acquire(NAME)
    assert locks.is_held(NAME)
    other.release()
    # PostgreSQL notices a closed connection a moment later.
    wait_until(lambda: not locks.is_held(NAME))


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
    wait_until(lambda: "may" in second.output.splitlines())


@on_sqlite
def test_a_consumer_stays_a_consumer(locks: ProcessLocks) -> None:
    assert locks.try_become_consumer()
    assert locks.try_become_consumer()


def test_a_check_leaves_no_file(tmp_path: Path) -> None:
    locks = FileLocks(tmp_path)
    assert not locks.is_held(NAME)
    assert list(tmp_path.iterdir()) == []


def test_a_lock_of_a_file_that_another_process_deletes_is_acquired_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that checks the lock deletes the file, here after this process has opened it."""
    deleted: list[str] = []
    lock = fcntl.flock

    def delete_and_lock(descriptor: int, operation: int) -> None:
        if not deleted:
            (tmp_path / NAME).unlink()
            deleted.append(NAME)
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", delete_and_lock)
    mine, other = FileLocks(tmp_path), FileLocks(tmp_path)
    mine.acquire(NAME)
    assert other.is_held(NAME)
    mine.release()
    assert not other.is_held(NAME)


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
    wait_until(lambda: len(lock_connections(database_url)) == 2 and not lock_connections(database_url) & before)
    # A new connection is visible before it has the lock.
    wait_until(lambda: locks.is_held(NAME))


@on_postgresql
def test_a_connection_that_went_silent_ends_the_renewal(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the thread that renews the lock would wait for ever, and other processes take over the work."""
    monkeypatch.setattr(locks_module, "SOCKET_TIMEOUT_SECONDS", 0.5)
    url = sa.make_url(database_url)
    with ThreadPoolExecutor(1) as pool, FaultyProxy(url.host or "", url.port or 5432) as proxy:
        locks = locks_for(url.set(host="127.0.0.1", port=proxy.port))
        locks.acquire(NAME)
        locks.renew()
        proxy.stop_forwarding()
        with pytest.raises(psycopg.Error):
            pool.submit(locks.renew).result(30)


@on_postgresql
def test_the_server_probes_the_connection_of_a_lock_every_second(locks: ProcessLocks) -> None:
    assert isinstance(locks, PostgresLocks)
    settings = [locks._fetch_value(f"SHOW tcp_keepalives_{name}") for name in ("idle", "interval", "count")]
    assert settings == ["2", "1", "3"]
