"""Group commit: batch concurrent writes into one transaction.

A transaction costs about the same for one write as for ten.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeAlias

from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import UpdateBase

from glific_gpt.database.base import db
from glific_gpt.database.batch_queue import BatchQueue
from glific_gpt.database.compiled import Parameters, compile_once, raw_connection
from glific_gpt.database.event_loop_connections import connections_of, is_worth_repeating
from glific_gpt.database.fair_pool import for_batch
from glific_gpt.database.session import EVENT_LOOP, raise_time_outs, run_in_executor
from glific_gpt.database.timeouts import POOL_TIMEOUT_SECONDS, set_timeouts
from glific_gpt.runtime import bridge, event_loop

Statement: TypeAlias = "tuple[UpdateBase, Parameters]"
"""A SQLAlchemy statement, which is built once, and its parameters."""


class GroupCommit:
    """Writes of concurrent calls, which are batched into common transactions.

    The event loop writes them, because waking a thread takes longer. On SQLite, a thread writes them if the file is
    locked.
    """

    def __init__(self, timeout: float) -> None:
        """`timeout` is the time-out of each statement in seconds."""
        self._timeout = timeout
        self._queue = BatchQueue[Sequence[Statement]](POOL_TIMEOUT_SECONDS)

    def write(self, *statements: Statement, alone: bool = False) -> None:
        """Execute the statements, and return when they are committed.

        `alone` gives them a transaction of their own. This is needed for rows that several calls write, such as the
        spending of a month: batches of two processes could each wait for a row of the other.
        Raises IntegrityError for a row that exists already, and the errors in UNAVAILABLE. Nothing is written then.
        """
        engines = db.engines
        engine, loop_engine = engines[None], engines[EVENT_LOOP]
        if alone:
            run_in_executor(lambda: self._commit(engine, [statements]))
        elif engine.dialect.name == "sqlite":
            self._write_to_sqlite(engine, loop_engine, statements)
        else:
            self._write_to_postgresql(engine, loop_engine, statements)

    def _write_to_sqlite(self, engine: Engine, loop_engine: Engine, statements: Sequence[Statement]) -> None:
        try_on_loop = partial(self._try_on_loop, loop_engine)
        # With no other call in progress there is nothing to batch.
        if not (bridge.is_only_call() and try_on_loop([statements])):
            self._queue.write(statements, partial(self._commit, engine), try_on_loop)

    def _write_to_postgresql(self, engine: Engine, loop_engine: Engine, statements: Sequence[Statement]) -> None:
        commit = partial(self._commit_in_pipeline, engine, loop_engine)
        if bridge.is_only_call():
            commit([statements])
        else:
            self._queue.write(statements, commit, blocks=False)

    def _commit_in_pipeline(self, engine: Engine, loop_engine: Engine, batch: Sequence[Sequence[Statement]]) -> None:
        """Write on a connection of the event loop, or else in this thread.

        If the connection breaks, a thread writes again. Such a write may have been committed the first time, but the
        second time an unchanged row is written again, or an existing row is refused.
        """
        if not event_loop.is_on_loop():
            return self._commit(engine, batch)
        executions = [(statement, rows) for (statement, _), rows in group_by_statement(batch).items()]
        try:
            with raise_time_outs():
                connections_of(loop_engine).commit(executions, self._timeout)
        except DBAPIError as failure:
            if not is_worth_repeating(failure):
                raise
            try:
                run_in_executor(lambda: self._commit(engine, batch))
            except IntegrityError:
                # Perhaps the row of this very call. A call that is told that it failed is marked as failed.
                raise failure from None

    def _try_on_loop(self, loop_engine: Engine, batch: Iterable[Sequence[Statement]]) -> bool:
        """Write on the event loop, without waiting for locks, and tell whether that succeeded."""
        with suppress(Exception):  # a thread repeats it and reports the error, since it can wait for the database
            commit_batch(loop_engine, batch, 0, keep=True)
            return True
        return False

    def _commit(self, engine: Engine, batch: Iterable[Sequence[Statement]]) -> None:
        commit_batch(engine, batch, self._timeout)


def commit_batch(engine: Engine, batch: Iterable[Sequence[Statement]], timeout: float, *, keep: bool = False) -> int:
    """Execute the statements of several calls in one transaction. `timeout` is that of each statement, in seconds.

    Returns how many rows they changed.
    """
    changed = 0
    with for_batch(), raw_connection(engine, keep=keep) as connection:
        set_timeouts(connection, timeout)
        for (statement, names), rows in group_by_statement(batch).items():
            changed += compile_once(statement, engine.dialect, names).execute(connection.driver_connection, rows)
        connection.commit()
    return changed


def group_by_statement(
    batch: Iterable[Sequence[Statement]],
) -> dict[tuple[UpdateBase, tuple[str, ...]], list[Parameters]]:
    """Group the parameters of all calls by statement, in the order of the call that has the most statements.

    A call without an idempotency key has only some of the statements of a call with one, in the same order.
    """
    rows: dict[tuple[UpdateBase, tuple[str, ...]], list[Parameters]] = {}
    for statements in sorted(batch, key=len, reverse=True):
        for statement, parameters in statements:
            rows.setdefault((statement, tuple(parameters)), []).append(parameters)
    return rows


def execute_all(session: Session, statements: Iterable[Statement]) -> None:
    """Execute the statements in the session's own transaction."""
    for statement, parameters in statements:
        session.execute(statement, parameters)


def precompile(*statements: Statement) -> None:
    """Compile the statements and open the event loop's connection, without executing anything."""
    for statement, parameters in statements:
        for engine in (db.engine, db.engines[EVENT_LOOP]):
            compile_once(statement, engine.dialect, tuple(parameters))
    with raw_connection(db.engines[EVENT_LOOP]):
        pass
