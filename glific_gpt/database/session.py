"""Transactions: short ones, never open while the network is waited for."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import structlog
from sqlalchemy import Select, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from glific_gpt import bridge
from glific_gpt.database.base import Base, db
from glific_gpt.database.patience import BUSY_SECONDS, be_patient
from glific_gpt.database.prepared import driven, prepared

Owned = TypeVar("Owned", bound=Base)
Result = TypeVar("Result")

UNAVAILABLE = (OperationalError, InterfaceError, InternalError, PoolTimeoutError)
"""What is raised when the database cannot be reached, or is too busy to answer in time."""

REPORT_SECONDS = 5.0
"""How long people wait for numbers over many calls."""

READERS = "readers"
"""SQLite's connections for reading only; PostgreSQL reads on those that it has."""

LOOKUPS = "lookups"
"""Connections without transactions."""

AT_ONCE = "at_once"
"""SQLite's connection of the event loop, which waits for nobody."""

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 5.0

log = structlog.get_logger()


@contextmanager
def transaction(patience: float = BUSY_SECONDS) -> Iterator[Session]:
    """A session whose work is committed at the end, or rolled back; its connection is given back either way.

    Its statements wait that many seconds for the database and no longer.
    """
    session = db.session()
    try:
        be_patient(session.connection().connection, patience)
        yield session
        session.commit()
    finally:
        db.session.remove()


@contextmanager
def reading(patience: float = REPORT_SECONDS) -> Iterator[Session]:
    """A session for what people look at, however much there is to count; it cannot write.

    It is apart from that of `transaction`. On SQLite calls need not wait until it has ended.
    """
    with Session(db.engines.get(READERS, db.engine), expire_on_commit=False) as session:
        session.connection(execution_options={"postgresql_readonly": True})
        be_patient(session.connection().connection, patience)
        yield session


def lookup(statement: Select[Any], **values: object) -> dict[str, Any] | None:
    """The one row that the statement finds, read without a transaction: nothing is asked but this question."""
    engines = db.engines
    if AT_ONCE in engines and bridge.is_on_loop():
        # SQLite is a file, whose readers wait for nobody, and the connection that writes it has what is new in memory.
        with suppress(DBAPIError):  # whatever it is, a thread has the time to find it out again
            return _found(engines[AT_ONCE], statement, values, keeps=True)
    return bridge.in_thread(lambda: _found(engines[LOOKUPS], statement, values))


def _found(
    engine: Engine, statement: Select[Any], values: Mapping[str, object], *, keeps: bool = False
) -> dict[str, Any] | None:
    with driven(engine, keeps=keeps) as connection:
        return prepared(statement, engine.dialect, tuple(values)).find(connection.driver_connection, values)


def patiently(work: Callable[[Session], Result]) -> Result:
    """What the work gives, in a transaction of its own, tried until the database is there.

    For what nobody waits for and what must not be lost.
    """
    wait = FIRST_WAIT_SECONDS
    while True:
        try:
            with transaction() as session:
                return work(session)
        except UNAVAILABLE as failure:
            log.warning("database_unavailable", reason=type(failure).__name__, tried_again_after=wait)
        time.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT_SECONDS)


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
