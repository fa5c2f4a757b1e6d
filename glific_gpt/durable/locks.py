"""Process locks: a process without its lock is considered dead, and other processes may take over its work.

A process holds its lock as long as it lives. A lease that expires would also be lost by a process that is merely slow
or suspended, and its work would be done twice.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg
from sqlalchemy.engine import URL, Connection

from glific_gpt.database.timeouts import TimeoutConnection
from glific_gpt.runtime.file_locks import is_locked, try_lock

SOCKET_TIMEOUT_SECONDS = 3.0
"""Socket time-out of the connection that holds the lock."""


class ProcessLocks(Protocol):
    """The lock of this process, and the state of the locks of other processes."""

    grace_seconds: float
    """How long a lock must be free before its process is considered dead."""

    def acquire(self, executor: str) -> None:
        """Acquire the lock of this process."""

    def renew(self) -> None:
        """Acquire the lock again if it was lost, for example when the database restarted. Call it every second."""

    def is_held(self, executor: str) -> bool:
        """Return whether any process holds this lock."""
        ...

    def try_lock(self, executor: str) -> "Any":
        """Return a context manager that yields whether the lock was free, and holds it until the context ends."""

    def is_any_held(self) -> bool:
        """Return whether a server or worker runs on the database. Call it in a process that has no lock itself."""
        ...

    def try_become_consumer(self) -> bool:
        """Return whether this process may consume the queue. Once true, it stays true until the process ends."""
        ...

    def count_consumers(self, connection: Connection) -> int:
        """Return how many living processes consume the queue, read with this connection to the database."""
        ...

    def release(self) -> None:
        """Release all locks of this process."""


def locks_for(url: URL) -> ProcessLocks:
    """Return locks for this database: files beside a SQLite file, or advisory locks of PostgreSQL."""
    if url.get_backend_name() == "sqlite":
        return FileLocks(Path(f"{url.database}.work"))
    return PostgresLocks(url)


class FileLocks:
    """Locked files in a folder, for processes of one machine. The kernel releases the locks of a dead process."""

    grace_seconds = 0.0  # the kernel frees a file lock only when its process has ended

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own_lock: int | None = None
        self._consumer_lock: int | None = None

    def acquire(self, executor: str) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._own_lock = try_lock(self._path(executor))

    def renew(self) -> None:
        pass  # a file lock cannot be lost

    def is_held(self, executor: str) -> bool:
        with self.try_lock(executor) as is_free:
            return not is_free

    @contextmanager
    def try_lock(self, executor: str) -> Iterator[bool]:
        path = self._path(executor)
        descriptor = try_lock(path)
        try:
            yield descriptor is not None
        finally:
            if descriptor is not None:
                path.unlink()  # its process is dead, and no other process gets the same name
                os.close(descriptor)

    def is_any_held(self) -> bool:
        paths = self._folder.iterdir() if self._folder.is_dir() else ()
        return any(map(is_locked, paths))

    def try_become_consumer(self) -> bool:
        """Return whether this process is the only consumer. With two on SQLite, DBOS exceeds its limits."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if self._consumer_lock is None:  # a second lock of the same file by this process would be refused
            self._consumer_lock = try_lock(self._folder / "queue")
        return self._consumer_lock is not None

    def count_consumers(self, _connection: Connection) -> int:
        return int(is_locked(self._folder / "queue"))

    def release(self) -> None:
        for descriptor in filter(None, (self._own_lock, self._consumer_lock)):
            os.close(descriptor)
        self._own_lock = self._consumer_lock = None

    def _path(self, executor: str) -> Path:
        return self._folder / executor


class PostgresLocks:
    """Advisory locks on a connection that stays open as long as the process lives.

    TCP keepalives of the server detect a machine that lost power. A pooler in transaction mode would lose the lock.
    """

    grace_seconds = 4.0
    """Longer than a living process needs to reconnect after its connection was cut."""

    def __init__(self, url: URL) -> None:
        self._arguments, self._options = url.get_dialect()().create_connect_args(url)
        self._executor = ""
        self._connection: TimeoutConnection | None = None
        self._is_consumer = False

    def acquire(self, executor: str) -> None:
        self._executor = executor
        self._connection = self._connect()

    def renew(self) -> None:
        """Reconnect if the connection was lost. Raises psycopg.Error while the database cannot be reached."""
        try:
            self._fetch_value("SELECT 1")
        except psycopg.Error:
            self._close()
            self._connection = self._connect()

    def is_held(self, executor: str) -> bool:
        """Return whether any process holds this lock. Raises psycopg.Error."""
        return bool(self._fetch_value(COUNT_HOLDERS, _lock_key(executor)))

    @contextmanager
    def try_lock(self, executor: str) -> Iterator[bool]:
        """Hold the lock if it is free. Raises psycopg.Error."""
        is_free = bool(self._fetch_value("SELECT pg_try_advisory_lock(%s)", _lock_key(executor)))
        try:
            yield is_free
        finally:
            if is_free:
                self._fetch_value("SELECT pg_advisory_unlock(%s)", _lock_key(executor))

    def is_any_held(self) -> bool:
        """Raises psycopg.Error."""
        with psycopg.connect(*self._arguments, **self._options, autocommit=True) as connection:
            row = connection.execute(COUNT_PROCESSES).fetchone()
        return bool(row and row[0])

    def try_become_consumer(self) -> bool:
        """Return True: on PostgreSQL any number of processes may consume. They share a lock, so that they count."""
        if self._connection is not None and not self._is_consumer:
            self._connection.execute(SHARE_LOCK, (_lock_key(CONSUMERS),))
        self._is_consumer = True
        return True

    def count_consumers(self, connection: Connection) -> int:
        return int(connection.exec_driver_sql(COUNT_HOLDERS, (_lock_key(CONSUMERS),)).scalar_one())

    def release(self) -> None:
        self._is_consumer = False
        self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _connect(self) -> TimeoutConnection:
        connection = TimeoutConnection.connect(
            *self._arguments,
            **self._options,
            autocommit=True,
            connect_timeout=2,
            application_name="glific_gpt work",
        )
        connection.socket_timeout = SOCKET_TIMEOUT_SECONDS
        # A dead machine is noticed after 5 seconds: three probes a second apart, the first after 2 seconds.
        for setting in ("idle = 2", "interval = 1", "count = 3"):
            connection.execute(f"SET tcp_keepalives_{setting}".encode())
        connection.execute("SELECT pg_advisory_lock(%s)", (_lock_key(self._executor),))
        if self._is_consumer:
            connection.execute(SHARE_LOCK, (_lock_key(CONSUMERS),))
        return connection

    def _fetch_value(self, query: str, *values: int) -> Any:
        if self._connection is None:
            raise psycopg.OperationalError("there is no connection")
        row = self._connection.execute(query.encode(), values).fetchone()
        return row[0] if row else None


CONSUMERS = "consumers"
"""Name of the lock that all consumers share. No process has this name."""

SHARE_LOCK = "SELECT pg_advisory_lock_shared(%s)"

COUNT_HOLDERS = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND ((classid::bigint << 32) | objid::bigint) = %s
"""
"""PostgreSQL splits the 64-bit key of an advisory lock into two columns (documentation, chapter pg_locks)."""


COUNT_PROCESSES = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
"""Nothing else of ours takes advisory locks with a 64-bit key."""


def _lock_key(executor: str) -> int:
    """Hash the name of a process to 63 bits, so that the number is never negative."""
    digest = hashlib.sha256(f"glific_gpt:{executor}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 1
