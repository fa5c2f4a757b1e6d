"""Transactions: short ones, never open while the network is waited for."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SQLiteConnection
from typing import Any, TypeVar, cast

from flask import Flask
from sqlalchemy import Select, event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from glific_gpt.database.base import Base, db
from glific_gpt.database.patience import MARGIN_SECONDS, PatientConnection, connect_patiently
from glific_gpt.errors import SettingsError

Owned = TypeVar("Owned", bound=Base)

UNAVAILABLE = (OperationalError, InterfaceError, InternalError, PoolTimeoutError)
"""What is raised when the database cannot be reached, or is too busy to answer in time."""

BUSY_SECONDS = 1.0
"""How long a statement waits for the database before it gives up: a part of a call's time, not all of it."""

TURN_SECONDS = 2
"""How long a transaction waits for one of the process's connections."""


@contextmanager
def transaction(patience: float = BUSY_SECONDS) -> Iterator[Session]:
    """A session whose work is committed at the end, or rolled back; its connection is given back either way.

    Its statements wait that many seconds for the database and no longer.
    """
    session = db.session()
    try:
        _be_patient(session, patience)
        yield session
        session.commit()
    finally:
        db.session.remove()


def _be_patient(session: Session, seconds: float) -> None:
    milliseconds = round(seconds * 1000)
    # On the driver's own connection, where it costs next to nothing.
    raw = session.connection().connection.driver_connection
    if isinstance(raw, SQLiteConnection):
        raw.execute(f"PRAGMA busy_timeout = {milliseconds}")
        return
    cast("PatientConnection", raw).silence_seconds = seconds + MARGIN_SECONDS
    if seconds != BUSY_SECONDS:  # which is how a connection begins
        limits = (func.set_config(name, str(milliseconds), True) for name in ("lock_timeout", "statement_timeout"))  # noqa: FBT003
        session.execute(select(*limits))


def insert_if_absent(session: Session, row: Base) -> bool:
    """Inserts a row unless there is one with its key already; tells whether it did. Safe beside other processes."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    table = type(row).__table__
    values = {column.key: getattr(row, column.key) for column in table.columns}
    statement = insert(table).values(values).on_conflict_do_nothing().returning(*table.primary_key)  # type: ignore[arg-type]
    return session.execute(statement).first() is not None


def owned(table: type[Owned], organization_id: int) -> Select[Owned]:
    """The one way to read rows that belong to an organization: those of that organization alone."""
    return select(table).where(table.organization_id == organization_id)  # type: ignore[attr-defined]


def prepare(app: Flask, url: str) -> None:
    """Binds the app to its database. A relative SQLite path is below the working directory.

    Raises SettingsError for an address that no database has, without repeating it: it may hold a password.
    """
    target = _parsed(url)
    is_sqlite = target.get_backend_name() == "sqlite"
    if is_sqlite:
        if not target.database or target.database == ":memory:":
            raise SettingsError("GLIFIC_GPT_DATABASE_URL names no file: a database in memory would be lost.")
        target = target.set(database=str(Path(target.database).absolute()))
    app.config["SQLALCHEMY_DATABASE_URI"] = target
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _POOL | (_SQLITE if is_sqlite else _POSTGRESQL)
    db.init_app(app)
    with app.app_context():
        if is_sqlite:
            event.listen(db.engine, "connect", _tune_sqlite)
        else:
            event.listen(db.engine, "do_connect", connect_patiently)


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


def _tune_sqlite(connection: SQLiteConnection, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
