"""Binding: which database the app uses, over how many connections, and how long it waits for one."""

from collections.abc import Callable, Sequence
from pathlib import Path
from sqlite3 import Connection as SQLiteConnection
from typing import Any

from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError

from glific_gpt.database.base import db
from glific_gpt.database.patience import (
    BUSY_SECONDS,
    MARGIN_SECONDS,
    TURN_SECONDS,
    PatientConnection,
    connect_patiently,
)
from glific_gpt.database.prepared import give_back
from glific_gpt.database.session import AT_ONCE, LOOKUPS, READERS, REPORT_SECONDS
from glific_gpt.errors import SettingsError


def prepare(app: Flask, url: str) -> None:
    """Binds the app to its database. A relative SQLite path is below the working directory.

    Raises SettingsError for an address that no database has, without repeating it: it may hold a password.
    """
    target = address(url)
    is_sqlite = target.get_backend_name() == "sqlite"
    app.config["SQLALCHEMY_DATABASE_URI"] = target
    usual = _POOL | (_SQLITE if is_sqlite else _POSTGRESQL)
    more = {READERS: _POOL | _SQLITE_READERS, AT_ONCE: usual} if is_sqlite else {}
    kinds = {LOOKUPS: usual | _LOOKUPS, **more}
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = usual
    app.config["SQLALCHEMY_BINDS"] = {name: {**options, "url": target} for name, options in kinds.items()}
    db.init_app(app)
    with app.app_context():
        if is_sqlite:
            _listen_to_sqlite((db.engine, db.engines[AT_ONCE]), (db.engines[READERS], db.engines[LOOKUPS]))
        else:
            _listen_to_postgresql(db.engine, db.engines[LOOKUPS])
        event.listen(db.engine, "engine_disposed", _dispose_others(list(db.engines.values())))


def address(url: str) -> URL:
    """The database's, with an absolute path. Raises SettingsError."""
    target = _parsed(url)
    if target.get_backend_name() != "sqlite":
        return target
    if not target.database or target.database == ":memory:":
        raise SettingsError("GLIFIC_GPT_DATABASE_URL names no file: a database in memory would be lost.")
    return target.set(database=str(Path(target.database).absolute()))


def _parsed(url: str) -> URL:
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
    "max_overflow": 0,
    "pool_timeout": TURN_SECONDS,
    "hide_parameters": True,  # an error of the database must not carry the values of a row
}
_SQLITE = {
    # Writers of one process wait in line for its one connection; in SQLite's own line some would starve.
    "pool_size": 1,
    "connect_args": {"timeout": BUSY_SECONDS},
}
_LOOKUPS = {
    "pool_size": 4,
    "pool_reset_on_return": None,  # there is nothing to roll back
    "isolation_level": "AUTOCOMMIT",
}
_SQLITE_READERS = {
    # Two reports at a time leave processors to the calls; the others wait in line.
    "pool_size": 2,
    "pool_timeout": REPORT_SECONDS,
    "connect_args": {"timeout": BUSY_SECONDS},
}
_POSTGRESQL = {
    "pool_size": 20,
    "pool_pre_ping": True,
    "connect_args": {
        "connect_timeout": TURN_SECONDS,
        # A server that has gone silent is given up as fast as one that is slow (libpq; Linux).
        "tcp_user_timeout": round(BUSY_SECONDS * 1000),
        "keepalives_idle": 5,
        "keepalives_interval": 1,
        "keepalives_count": 2,
        "options": f"-c lock_timeout={BUSY_SECONDS}s -c statement_timeout={BUSY_SECONDS}s -c timezone=UTC",
    },
}


def _listen_to_sqlite(writers: Sequence[Engine], readers: Sequence[Engine]) -> None:
    for engine in writers:
        event.listen(engine, "connect", _tune_sqlite)
    for engine in readers:
        event.listen(engine, "connect", _only_read)


def _listen_to_postgresql(engine: Engine, lookups: Engine) -> None:
    for each in (engine, lookups):
        event.listen(each, "do_connect", connect_patiently)
    event.listen(lookups, "connect", _be_patient)


def _dispose_others(engines: Sequence[Engine]) -> Callable[[Engine], None]:
    """Connections of all kinds are given back together."""

    def dispose(disposed: Engine) -> None:
        for engine in engines:
            give_back(engine)
            if engine is not disposed:
                engine.dispose()

    return dispose


def _be_patient(connection: PatientConnection, _record: object) -> None:
    connection.silence_seconds = BUSY_SECONDS + MARGIN_SECONDS


def _tune_sqlite(connection: SQLiteConnection, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _only_read(connection: SQLiteConnection, _record: object) -> None:
    connection.execute("PRAGMA query_only = ON")
