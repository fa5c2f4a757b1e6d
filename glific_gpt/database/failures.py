"""Failures of the database: what each means, in one sentence for administrators, and its lines in the log.

The causes come from SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html) and from SQLite's result
codes (https://www.sqlite.org/rescode.html). libpq has no SQLSTATE for a refused connection, so its English text is
searched. No message repeats a text of the database, which can contain values.
"""

import re
import sqlite3
import time
from dataclasses import dataclass
from threading import Lock
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

REPEAT_SECONDS = 1.0
"""Interval of lines in the log about the same failure."""

log = structlog.get_logger()


class CallTimeout(PoolTimeoutError):
    """The deadline of a call passed while it waited for the database."""


class ReportTimeout(PoolTimeoutError):
    """A report waited too long for another one of the same organization."""


@dataclass(frozen=True)
class DatabaseFailure:
    """One cause of failures."""

    event: str
    """Name of the event in the log."""
    message: str
    """Sentences for administrators: what happened, and what to do."""


WRONG_PASSWORD = DatabaseFailure(
    "database_login_refused",
    "PostgreSQL refuses the user or the password. Correct them in GLIFIC_GPT_DATABASE_URL.",
)
CONNECTION_REFUSED = DatabaseFailure(
    "database_connection_refused",
    "No database accepts connections at its address. Start the database, or correct the host and the port in "
    "GLIFIC_GPT_DATABASE_URL.",
)
UNKNOWN_HOST = DatabaseFailure(
    "database_host_unknown", "The database's host is unknown. Correct the host in GLIFIC_GPT_DATABASE_URL."
)
DATABASE_MISSING = DatabaseFailure(
    "database_missing", "The database does not exist. Create it, or correct its name in GLIFIC_GPT_DATABASE_URL."
)
TOO_MANY_CONNECTIONS = DatabaseFailure(
    "database_connections_used_up",
    "PostgreSQL has no free connections. Raise its max_connections, or lower GLIFIC_GPT_DATABASE_CONNECTIONS.",
)
POOL_USED_UP = DatabaseFailure(
    "database_pool_used_up",
    "All database connections of this process were in use for too long. Check whether the database is slow.",
)
REPORTS_WAITED = DatabaseFailure(
    "database_reports_waited",
    "Reports of one organization waited for each other for too long. Its members load many pages at the same time, or "
    "the database is slow.",
)
READ_ONLY = DatabaseFailure(
    "database_read_only",
    "The database is read-only. Connect to the primary server, or make the file and its folder writable.",
)
DISK_FULL = DatabaseFailure("database_disk_full", "The database's disk is full. Free some space.")
LOCK_TIMEOUT = DatabaseFailure(
    "database_lock_timeout",
    "Another transaction locks the database for too long. Find it and end it, or try again later.",
)
STATEMENT_TIMEOUT = DatabaseFailure(
    "database_statement_timeout", "The database did not finish a statement in time. Check its load."
)
NO_ANSWER = DatabaseFailure(
    "database_silent", "The database does not answer. Check that it is running, and the network to it."
)
UNAVAILABLE_NOW = DatabaseFailure(
    "database_starting_or_stopping", "PostgreSQL is starting or stopping. Try again when it has started."
)
PERMISSION_DENIED = DatabaseFailure(
    "database_permission_denied", "The database's user lacks a permission. Grant it the rights on all tables."
)
MIGRATIONS_MISSING = DatabaseFailure("database_migrations_missing", "Migrations are missing. Run 'flask db upgrade'.")
FILE_UNUSABLE = DatabaseFailure(
    "database_file_unusable",
    "The database's file cannot be opened, or is not a SQLite database. Check the path in GLIFIC_GPT_DATABASE_URL, "
    "and the rights of the folder.",
)
CONNECTION_LOST = DatabaseFailure(
    "database_connection_lost", "The connection to the database was lost. Check that the database is running."
)
UNKNOWN = DatabaseFailure(
    "database_failed",
    "The database failed. Check that it is running and not overloaded, and GLIFIC_GPT_DATABASE_URL.",
)

_BY_SQLSTATE = {
    "28": WRONG_PASSWORD,
    "3D000": DATABASE_MISSING,
    "53300": TOO_MANY_CONNECTIONS,
    "25006": READ_ONLY,
    "53100": DISK_FULL,
    "55P03": LOCK_TIMEOUT,
    "40P01": LOCK_TIMEOUT,
    "57014": STATEMENT_TIMEOUT,
    "57P": UNAVAILABLE_NOW,
    "42501": PERMISSION_DENIED,
    "42P01": MIGRATIONS_MISSING,
    "42703": MIGRATIONS_MISSING,
    "3F000": MIGRATIONS_MISSING,
    "08": CONNECTION_LOST,
}
"""Whole SQLSTATEs, or their beginnings."""

_BY_SQLITE_CODE = {
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_FULL: DISK_FULL,
    sqlite3.SQLITE_BUSY: LOCK_TIMEOUT,
    sqlite3.SQLITE_LOCKED: LOCK_TIMEOUT,
    sqlite3.SQLITE_CANTOPEN: FILE_UNUSABLE,
    sqlite3.SQLITE_NOTADB: FILE_UNUSABLE,
    sqlite3.SQLITE_CORRUPT: FILE_UNUSABLE,
    sqlite3.SQLITE_IOERR: FILE_UNUSABLE,
    sqlite3.SQLITE_PERM: FILE_UNUSABLE,
}
_PRIMARY_CODE = 0xFF
"""Mask of a primary result code in an extended one."""

_BY_TEXT = (
    (r"failed to resolve host|could not translate host name", UNKNOWN_HOST),
    (r"password authentication failed|no password supplied|no pg_hba.conf entry", WRONG_PASSWORD),
    (r'fatal: +role ".*" does not exist|is not permitted to log in', WRONG_PASSWORD),
    (r'fatal: +database ".*" does not exist', DATABASE_MISSING),
    (r"too many clients|too many connections|remaining connection slots", TOO_MANY_CONNECTIONS),
    (r"the database system is ", UNAVAILABLE_NOW),
    # The second one: the socket of a server on the same machine does not exist.
    (r"connection refused|no such file or directory", CONNECTION_REFUSED),
    (r"timeout|timed out|unreachable", NO_ANSWER),
    (r"no such table|no such column|has no column named", MIGRATIONS_MISSING),
    (r"server closed the connection|connection is lost|the connection is closed", CONNECTION_LOST),
)
"""Regular expressions for texts in lower case."""


def describe(error: SQLAlchemyError) -> DatabaseFailure:
    """Return the cause of an error."""
    if isinstance(error, CallTimeout):
        return NO_ANSWER
    if isinstance(error, ReportTimeout):
        return REPORTS_WAITED
    if isinstance(error, PoolTimeoutError):
        return POOL_USED_UP
    original = error.orig if isinstance(error, DBAPIError) else None
    return _by_sqlstate(original) or _by_sqlite_code(original) or _by_text(original) or UNKNOWN


def is_connection_limit(error: Exception) -> bool:
    """Return whether this error of the driver says that PostgreSQL allows no further connection."""
    return (_by_sqlstate(error) or _by_text(error)) is TOO_MANY_CONNECTIONS


def _by_sqlstate(original: Any) -> DatabaseFailure | None:
    sqlstate = getattr(original, "sqlstate", None) or ""
    lengths = range(len(sqlstate), 1, -1)  # the whole one first
    return next((_BY_SQLSTATE[sqlstate[:length]] for length in lengths if sqlstate[:length] in _BY_SQLSTATE), None)


def _by_sqlite_code(original: Any) -> DatabaseFailure | None:
    return _BY_SQLITE_CODE.get(getattr(original, "sqlite_errorcode", 0) & _PRIMARY_CODE)


def _by_text(original: Any) -> DatabaseFailure | None:
    text = str(original or "").lower()
    return next((failure for pattern, failure in _BY_TEXT if re.search(pattern, text)), None)


_last_logged: dict[str, float] = {}
_lock = Lock()


def log_failure(error: SQLAlchemyError, **values: object) -> None:
    """Log the cause of an error, at most once a second for each cause: while a database is down, every call fails."""
    failure = describe(error)
    at = time.monotonic()
    with _lock:
        if at - _last_logged.get(failure.event, float("-inf")) < REPEAT_SECONDS:
            return
        _last_logged[failure.event] = at
    log.error(failure.event, detail=failure.message, **values)
