"""Locks that a process holds as long as it lives: who holds none is dead, and its work may be taken over.

A lock, not a lease that has to be renewed: a process that is merely slow, or stopped for a while, keeps it, so its
work is not started a second time.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import psycopg
from sqlalchemy.engine import URL

from glific_gpt.database.patience import PatientConnection

SILENCE_SECONDS = 3.0


class Locks(Protocol):
    """The lock of this process, and a look at those of others."""

    grace_seconds: float
    """How long a lock must have been free before its holder counts as dead."""

    def hold(self, executor: str) -> None:
        """Takes the lock of this process."""

    def keep(self) -> None:
        """Takes it again if it was lost, as when the database was restarted; to be called every second."""

    def is_held(self, executor: str) -> bool:
        """Whether some process holds that lock."""
        ...

    def taking(self, executor: str) -> "Any":
        """A context that tells whether the lock was free, and holds it inside."""

    def may_listen(self) -> bool:
        """Whether this process may take work from the queue; once it may, it may until it ends."""
        ...

    def release(self) -> None:
        """Gives everything back."""


def locks_for(url: URL) -> Locks:
    """Those that fit the database: files beside SQLite's, advisory locks of PostgreSQL."""
    if url.get_backend_name() == "sqlite":
        return FileLocks(Path(f"{url.database}.work"))
    return PostgresLocks(url)


class FileLocks:
    """Locked files in a folder, for processes of one machine; the kernel unlocks those of a dead process."""

    grace_seconds = 0.0

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mine: int | None = None
        self._listening: int | None = None

    def hold(self, executor: str) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._mine = _locked(self._path(executor))

    def keep(self) -> None:
        pass

    def is_held(self, executor: str) -> bool:
        with self.taking(executor) as free:
            return not free

    @contextmanager
    def taking(self, executor: str) -> Iterator[bool]:
        path = self._path(executor)
        descriptor = _locked(path)
        try:
            yield descriptor is not None
        finally:
            if descriptor is not None:
                path.unlink()  # its process is gone, and its name does not come again
                os.close(descriptor)

    def may_listen(self) -> bool:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if self._listening is None:
            self._listening = _locked(self._folder / "queue")
        return self._listening is not None

    def release(self) -> None:
        for descriptor in filter(None, (self._mine, self._listening)):
            os.close(descriptor)
        self._mine = self._listening = None

    def _path(self, executor: str) -> Path:
        return self._folder / executor


def _locked(path: Path) -> int | None:
    """The descriptor of the file, locked; None when another process has it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        with suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(descriptor).st_ino:
                return descriptor
        os.close(descriptor)  # somebody deleted it between open and lock


class PostgresLocks:
    """Advisory locks of a connection that is open as long as the process lives.

    The server asks after a connection that has gone silent, so a machine without power is found out too.
    A pooler that lends connections for one transaction at a time would take the lock away.
    """

    grace_seconds = 4.0
    """Longer than a living process takes to come back when its connection was cut."""

    def __init__(self, url: URL) -> None:
        self._arguments, self._options = url.get_dialect()().create_connect_args(url)
        self._executor = ""
        self._connection: PatientConnection | None = None

    def hold(self, executor: str) -> None:
        self._executor = executor
        self._connection = self._connect()

    def keep(self) -> None:
        """Raises psycopg.Error while the database cannot be reached."""
        try:
            self._ask("SELECT 1")
        except psycopg.Error:
            self.release()
            self._connection = self._connect()

    def is_held(self, executor: str) -> bool:
        """Raises psycopg.Error."""
        return bool(self._ask(HELD, _key(executor)))

    @contextmanager
    def taking(self, executor: str) -> Iterator[bool]:
        """Raises psycopg.Error."""
        free = bool(self._ask("SELECT pg_try_advisory_lock(%s)", _key(executor)))
        try:
            yield free
        finally:
            if free:
                self._ask("SELECT pg_advisory_unlock(%s)", _key(executor))

    def may_listen(self) -> bool:
        return True

    def release(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _connect(self) -> PatientConnection:
        connection = PatientConnection.connect(
            *self._arguments, **self._options, autocommit=True, connect_timeout=2, application_name="glific_gpt work"
        )
        connection.silence_seconds = SILENCE_SECONDS
        for setting in ("idle = 2", "interval = 1", "count = 3"):
            connection.execute(f"SET tcp_keepalives_{setting}".encode())
        connection.execute("SELECT pg_advisory_lock(%s)", (_key(self._executor),))
        return connection

    def _ask(self, query: str, *values: int) -> Any:
        if self._connection is None:
            raise psycopg.OperationalError("there is no connection")
        row = self._connection.execute(query.encode(), values).fetchone()
        return row[0] if row else None


HELD = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND ((classid::bigint << 32) | objid::bigint) = %s
"""
"""How PostgreSQL shows a lock with one key (documentation, chapter pg_locks)."""


def _key(executor: str) -> int:
    """63 bits, so that the number is never negative."""
    digest = hashlib.sha256(f"glific_gpt:{executor}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 1
