"""Back a SQLite database up into one file, and read such a file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from glific_gpt.errors import InvalidValue
from glific_gpt.operations.backups.contents import (
    DELIVERIES,
    EMAILS,
    KEY_CHECK,
    MSG_DAMAGED,
    MSG_NOT_A_BACKUP,
    REVISIONS,
    WAITING_ANSWERS,
    Contents,
    Progress,
    parse_revision,
)

MAGIC = b"SQLite format 3\0"
"""First bytes of every SQLite file."""

PAGES_PER_STEP = 1000
"""Pages between two reports of the progress: 4 MB."""

BUSY_SECONDS = 10.0

ONLY_READ = "ro&immutable=1"
"""Mode for files that nobody writes. They need no lock, and their folder may be read-only."""

MSG_LOG_BESIDE = (
    "The file is a copy of a database that was in use, and a part of it is in the file {}. Use a file that "
    "'flask database backup' has written."
)


@contextmanager
def connect(path: Path, mode: str = "rw") -> Iterator[sqlite3.Connection]:
    """Open an existing file. No transaction begins by itself."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        yield connection


def copy_file(source: Path, target: Path, progress: Progress, *, mode: str = "rw") -> None:
    """Copy a database that servers may write at the same time, with SQLite's backup API."""
    with connect(source, mode) as original, connect(target) as copy:
        # In an open snapshot. Without it, each write of a server would begin the backup again.
        original.execute("BEGIN")
        original.execute("SELECT count(*) FROM sqlite_master").fetchone()
        original.backup(
            copy,
            pages=PAGES_PER_STEP,
            progress=lambda _status, left, total: progress("Copying pages", total - left, total),
            sleep=0,
        )
        original.execute("ROLLBACK")
    remove_log(target)


def remove_log(path: Path) -> None:
    """Write everything into the file itself, without a write-ahead log beside it."""
    with connect(path) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


def read_contents(path: Path) -> Contents:
    """Check the whole file, and count its rows. Raises InvalidValue if it is damaged, or not one of this server."""
    log = Path(f"{path}-wal")
    if log.exists() and log.stat().st_size:
        raise InvalidValue(MSG_LOG_BESIDE.format(log.name))
    try:
        with connect(path, ONLY_READ) as connection:
            # The check does not notice that a part of the last page is missing.
            size = _value(connection, "PRAGMA page_count") * _value(connection, "PRAGMA page_size")
            if size != path.stat().st_size or _value(connection, "PRAGMA integrity_check(1)") != "ok":
                raise InvalidValue(MSG_DAMAGED.format("SQLite's integrity check has failed"))
            return count_rows(connection)
    except sqlite3.DatabaseError as error:
        raise InvalidValue(MSG_DAMAGED.format(error)) from None


def count_rows(connection: sqlite3.Connection) -> Contents:
    """Raises InvalidValue for a database of another program."""
    tables = list_tables(connection)
    if REVISIONS not in tables:
        raise InvalidValue(MSG_NOT_A_BACKUP)
    rows = {table: int(_value(connection, f'SELECT count(*) FROM "{table}"')) for table in tables}  # noqa: S608 - names
    return Contents(
        parse_revision(_value(connection, "SELECT version_num FROM alembic_version")),
        rows,
        int(_value(connection, WAITING_ANSWERS)) if DELIVERIES in tables else 0,
        rows.get(EMAILS, 0),
        _value(connection, "SELECT ciphertext FROM key_check") if KEY_CHECK in tables else None,
    )


def list_tables(connection: sqlite3.Connection) -> list[str]:
    """Return the names of all tables, in alphabetical order."""
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1"
    return [name for (name,) in connection.execute(query)]


def _value(connection: sqlite3.Connection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None
