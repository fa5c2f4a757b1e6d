"""Sessions and transactions. They are short, and never open during a network request."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from sqlite3 import Connection as SQLiteConnection
from typing import Any, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from glific_gpt.database import event_loop_connections, failures
from glific_gpt.database.base import Base, db
from glific_gpt.database.compiled import Parameters, compile_once, raw_connection
from glific_gpt.database.report_locks import hold_report_lock
from glific_gpt.database.timeouts import STATEMENT_TIMEOUT_SECONDS, set_timeouts
from glific_gpt.runtime import call_threads, event_loop

Owned = TypeVar("Owned", bound=Base)
Locked = TypeVar("Locked")
Result = TypeVar("Result")

UNAVAILABLE = (OperationalError, InterfaceError, InternalError, PoolTimeoutError)
"""Errors that mean: the database cannot be reached, or is too busy to answer in time."""

REPORT_TIMEOUT_SECONDS = 5.0
"""Time-out of statements that count many calls for a page, and of waiting for a connection for them."""

READERS = "readers"
"""Engine for reports, which are read-only."""

EVENT_LOOP = "event_loop"
"""Engine with the event loop's own connections: to SQLite one, which never waits for a lock, and to PostgreSQL several
(`event_loop_connections.py`)."""

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 5.0


@contextmanager
def transaction(timeout: float = STATEMENT_TIMEOUT_SECONDS) -> Iterator[Session]:
    """Open a session, and commit at the end or roll back on an exception. The connection is returned either way.

    `timeout` is the time-out of each statement in seconds. Not on the event loop: it may wait for a lock.
    """
    event_loop.require_thread("transaction")
    # Flask-Security's session, if a page uses one, because SQLite has one connection for both. A webhook call has none,
    # and the end of its request would close it while a thread that is late still uses it.
    session = db.session() if db.session.registry.has() else db.session.session_factory()
    try:
        # `session.connection()` begins the transaction: the time-out is limited to it.
        set_timeouts(session.connection().connection, timeout)
        yield session
        session.commit()
    finally:
        # Flask-SQLAlchemy removes its session only with the app context. After an error, the session would hold its
        # connection until then, and SQLite has one for all threads that write.
        session.close()
        db.session.remove()


@contextmanager
def reading(organization_id: int | None = None, *, timeout: float = REPORT_TIMEOUT_SECONDS) -> Iterator[Session]:
    """Open a read-only session for pages, which may count many rows.

    It is separate from the session of `transaction`, and has connections of its own, so that calls do not wait for it.
    Sessions with the same `organization_id` wait for each other, so that one organization does not take all of these
    connections. They must not be nested.
    """
    event_loop.require_thread("reading")
    lock = nullcontext() if organization_id is None else hold_report_lock(organization_id, timeout)
    with lock, Session(db.engines[READERS], expire_on_commit=False) as session:
        session.connection(execution_options={"postgresql_readonly": True})
        set_timeouts(session.connection().connection, timeout)
        yield session


def fetch_one(statement: Select[Any], **parameters: object) -> dict[str, Any] | None:
    """Return the first row of a query, by column name, or None. No transaction is opened.

    Do not call it inside `transaction`: on SQLite it would wait for the connection that the transaction holds.
    """
    engines = db.engines
    engine, loop_engine = engines[None], engines[EVENT_LOOP]
    if event_loop.is_on_loop():
        try:
            return _fetch_on_loop(loop_engine, statement, parameters)
        except DBAPIError as failure:
            if not event_loop_connections.is_worth_repeating(failure):
                raise
    return run_in_executor(lambda: _fetch_one(engine, statement, parameters))


def _fetch_on_loop(engine: Engine, statement: Select[Any], parameters: Parameters) -> dict[str, Any] | None:
    if engine.dialect.name == "sqlite":  # with a write-ahead log, its readers are not blocked
        return _fetch_one(engine, statement, parameters, keep=True)
    with raise_time_outs():
        return event_loop_connections.connections_of(engine).fetch_one(statement, parameters)


def _fetch_one(
    engine: Engine, statement: Select[Any], parameters: Parameters, *, keep: bool = False
) -> dict[str, Any] | None:
    with raw_connection(engine, keep=keep) as connection:
        if not keep:  # the event loop never waits for SQLite's locks
            set_timeouts(connection, STATEMENT_TIMEOUT_SECONDS)
        compiled = compile_once(statement, engine.dialect, tuple(parameters))
        return compiled.fetch_one(connection.driver_connection, parameters)


def run_in_executor(function: Callable[[], Result]) -> Result:
    """Call the function in a thread, if this code runs on the event loop, and return its result.

    Raises the errors in UNAVAILABLE, also when the deadline of the call has passed.
    """
    with raise_time_outs():
        return call_threads.run_in_executor(function)


def run_transaction(function: Callable[[], Result]) -> Result:
    """Do the same for a function with a transaction of its own, in one of few threads."""
    with raise_time_outs():
        return call_threads.run_transaction(function)


@contextmanager
def raise_time_outs() -> Iterator[None]:
    """Raise CallTimeout when the deadline of the call has passed."""
    try:
        yield
    except call_threads.WaitTimeout:
        raise failures.CallTimeout("The database did not answer before the deadline of the call.") from None


@event_loop.blocking
def retry_until_available(work: Callable[[Session], Result]) -> Result:
    """Return the result of the function, called in a transaction of its own and retried until the database answers.

    It is for background work that must not be lost and that no caller waits for.
    """
    delay = FIRST_DELAY_SECONDS
    while True:
        try:
            with transaction() as session:
                return work(session)
        except UNAVAILABLE as failure:  # an IntegrityError, for example, would be raised again each time
            failures.log_failure(failure)
        time.sleep(delay)
        delay = min(delay * 2, LONGEST_DELAY_SECONDS)


def insert_if_absent(session: Session, row: Base) -> bool:
    """Insert a row unless its key exists, and tell whether it was inserted. Safe with concurrent processes."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    table = type(row).__table__
    # Not an INSERT with a caught IntegrityError: on PostgreSQL, an error makes the rest of the transaction fail.
    values = {column.key: getattr(row, column.key) for column in table.columns}
    statement = insert(table).values(values).on_conflict_do_nothing().returning(*table.primary_key)  # type: ignore[arg-type]
    return session.execute(statement).first() is not None


def lock_rows(session: Session, query: Select[Locked]) -> list[Locked]:
    """Return rows that no other transaction can change until the end of this one, as they are now.

    Use it before a check that a concurrent change could make wrong, and read nothing for the check before. The query
    needs an order, so that two transactions cannot wait for each other.
    """
    _begin_immediately(session)
    # FOR NO KEY UPDATE (key_share) lets other transactions insert rows that refer to the locked ones.
    locking = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return list(session.scalars(locking))


def lock_name(session: Session, name: str) -> None:
    """Lock a name until the end of the transaction, on SQLite the whole database. Other transactions wait for it."""
    if not _begin_immediately(session):
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def _begin_immediately(session: Session) -> bool:
    """Begin the transaction of a SQLite database with its write lock. Returns False for other databases.

    SQLite ignores FOR UPDATE, and its driver begins a transaction only at the first change. So another process could
    change rows after they were read. The busy time-out limits the waiting.
    """
    connection = session.connection()
    raw = connection.connection.driver_connection
    if not isinstance(raw, SQLiteConnection):
        return False
    if not raw.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    return True


def lock_rows_briefly(session: Session, query: Select[Locked], seconds: float) -> None:
    """Lock rows as `lock_rows` does, but go on without the locks if another transaction keeps one for so long.

    On SQLite, which locks the whole database for every change, the time-out of the transaction applies.
    """
    if isinstance(session.connection().connection.driver_connection, SQLiteConnection):
        lock_rows(session, query)
        return
    milliseconds = str(round(seconds * 1000))
    # A statement that fails ends its transaction. With a savepoint it ends only what was done after this.
    with suppress(OperationalError), session.begin_nested():
        session.execute(select(func.set_config("lock_timeout", milliseconds, True)))  # noqa: FBT003 - SQL
        lock_rows(session, query)


def owned(table: type[Owned], organization_id: int) -> Select[Owned]:
    """Select the rows of one organization. All reads of such rows go through here, so that no organization sees
    another's."""
    return select(table).where(table.organization_id == organization_id)  # type: ignore[attr-defined]
