"""Engines: the database URL, the connection pools and their time-outs.

READERS has the connections for reports, and EVENT_LOOP the event loop's own. The default engine has those of threads:
on SQLite one.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from sqlite3 import Connection as SQLiteConnection
from typing import Any

from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from glific_gpt.database.base import db
from glific_gpt.database.compiled import release
from glific_gpt.database.connection_shares import ConnectionShares
from glific_gpt.database.event_loop_connections import close_connections
from glific_gpt.database.fair_pool import FairPool
from glific_gpt.database.session import EVENT_LOOP, READERS, REPORT_TIMEOUT_SECONDS
from glific_gpt.database.timeouts import (
    POOL_TIMEOUT_SECONDS,
    SOCKET_MARGIN_SECONDS,
    STATEMENT_TIMEOUT_SECONDS,
    TimeoutConnection,
    connect_with_timeout,
)
from glific_gpt.errors import SettingsError


def init_engines(app: Flask, url: str, shares: ConnectionShares) -> None:
    """Create the app's engines, with this share of connections if the database is PostgreSQL.

    A relative SQLite path is relative to the working directory.

    Raises SettingsError for an invalid URL. The error does not repeat the URL, which may contain a password.
    """
    target = parse_url(url)
    is_sqlite = target.get_backend_name() == "sqlite"
    app.config["SQLALCHEMY_DATABASE_URI"] = target
    default = _POOL | (_SQLITE_WRITER if is_sqlite else _POSTGRESQL | {"pool_size": shares.writes})
    sqlite = {
        READERS: _POOL | _READERS | _SQLITE_READERS | {"pool_size": 2},
        EVENT_LOOP: default | _EVENT_LOOP,
    }
    postgresql = {
        READERS: default | _READERS | {"pool_size": shares.reports},
        EVENT_LOOP: default | _EVENT_LOOP | _PIPELINES | {"pool_size": shares.event_loop},
    }
    binds = sqlite if is_sqlite else postgresql
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = default
    app.config["SQLALCHEMY_BINDS"] = {name: {**options, "url": target} for name, options in binds.items()}
    db.init_app(app)
    with app.app_context():
        if is_sqlite:
            _create_private_files(list(db.engines.values()), str(target.database))
            _listen_to_sqlite((db.engine, db.engines[EVENT_LOOP]), db.engines[READERS])
        else:
            _listen_to_postgresql((db.engine, db.engines[READERS]), db.engines[EVENT_LOOP])
        event.listen(db.engine, "engine_disposed", _dispose_all(list(db.engines.values())))


def parse_url(url: str) -> URL:
    """Parse the database URL and make a SQLite path absolute. Raises SettingsError."""
    target = _parse(url)
    if target.get_backend_name() != "sqlite":
        return target
    if not target.database or target.database == ":memory:":
        raise SettingsError("GLIFIC_GPT_DATABASE_URL names no file: a database in memory would be lost.")
    return target.set(database=str(Path(target.database).absolute()))


def _parse(url: str) -> URL:
    try:
        target = make_url(url)
        target.get_dialect().import_dbapi()
    except (ArgumentError, ValueError, ImportError):
        raise SettingsError(
            "GLIFIC_GPT_DATABASE_URL is not the address of a SQLite or PostgreSQL database, as in "
            "postgresql+psycopg://user:password@host/name."
        ) from None
    return target


_POOL: dict[str, Any] = {
    "max_overflow": 0,  # pool sizes are exact: SQLite has one writer, and PostgreSQL a limit for each process
    "pool_timeout": POOL_TIMEOUT_SECONDS,
    "hide_parameters": True,  # a database error must not contain the values of a row
}
_SQLITE_WRITER = {
    # One connection: threads queue for it in order. SQLite's own lock is not fair, so with more connections some
    # writers waited for seconds.
    "poolclass": FairPool,
    "pool_size": 1,
    "connect_args": {"timeout": STATEMENT_TIMEOUT_SECONDS},
}
_READERS = {
    # Two concurrent reports leave CPU time and connections to webhook calls. Further reports wait for a connection.
    "pool_timeout": REPORT_TIMEOUT_SECONDS,
}
_SQLITE_READERS = {"connect_args": {"timeout": STATEMENT_TIMEOUT_SECONDS}}
_EVENT_LOOP = {"poolclass": QueuePool}  # the loop alone uses these connections, and never waits for the pool
_PIPELINES = {
    # The statements of a batch are one transaction anyway, without the round trips of BEGIN and COMMIT.
    "pool_reset_on_return": None,
    "isolation_level": "AUTOCOMMIT",
    "paramstyle": "numeric_dollar",  # libpq's
}
_POSTGRESQL = {
    "poolclass": FairPool,
    # A connection may have been cut since its last use, for example by a restart of the database or by a firewall.
    "pool_pre_ping": True,
    "connect_args": {
        "connect_timeout": POOL_TIMEOUT_SECONDS,
        # libpq on Linux drops the connection when a server is unreachable for as long as a slow statement may take.
        "tcp_user_timeout": round(STATEMENT_TIMEOUT_SECONDS * 1000),
        "keepalives_idle": 5,
        "keepalives_interval": 1,
        "keepalives_count": 2,
        "options": f"-c lock_timeout={STATEMENT_TIMEOUT_SECONDS}s -c statement_timeout={STATEMENT_TIMEOUT_SECONDS}s "
        "-c timezone=UTC",
    },
}


def _listen_to_sqlite(writers: Sequence[Engine], readers: Engine) -> None:
    for engine in writers:
        event.listen(engine, "connect", _set_pragmas)
    event.listen(readers, "connect", _set_query_only)


def _create_private_files(engines: Sequence[Engine], path: str) -> None:
    """Before the first connection, create the file so that other users of the machine cannot read it.

    SQLite gives the same mode to the files of its write-ahead log.
    """

    def create(*_: object) -> None:
        with suppress(OSError):  # it exists, or SQLite reports why it cannot be created
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))

    for engine in engines:
        event.listen(engine, "do_connect", create)


def _listen_to_postgresql(others: Sequence[Engine], event_loop: Engine) -> None:
    for engine in (*others, event_loop):
        event.listen(engine, "do_connect", connect_with_timeout)
    # `set_timeouts` is not called there. The pool asks a new connection a few questions.
    event.listen(event_loop, "connect", _set_socket_timeout)


def _dispose_all(engines: Sequence[Engine]) -> Callable[[Engine], None]:
    """Make a handler that disposes all engines when the default engine is disposed."""

    def dispose(disposed: Engine) -> None:
        for engine in engines:
            release(engine)
            close_connections(engine)
            if engine is not disposed:
                engine.dispose()

    return dispose


def _set_socket_timeout(connection: TimeoutConnection, _record: object) -> None:
    connection.socket_timeout = STATEMENT_TIMEOUT_SECONDS + SOCKET_MARGIN_SECONDS


def _set_pragmas(connection: SQLiteConnection, _record: object) -> None:
    # With a write-ahead log, readers and the writer do not block each other. NORMAL is safe from corruption in that
    # mode: only a power failure can lose the last commits.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _set_query_only(connection: SQLiteConnection, _record: object) -> None:
    connection.execute("PRAGMA query_only = ON")
