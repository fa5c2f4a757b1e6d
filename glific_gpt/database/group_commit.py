"""Group commit: batch concurrent writes into one transaction.

A transaction costs about the same for one write as for ten.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeAlias

from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import UpdateBase

from glific_gpt import bridge
from glific_gpt.database.base import db
from glific_gpt.database.compiled import Parameters, compile_once, raw_connection
from glific_gpt.database.session import EVENT_LOOP
from glific_gpt.database.timeouts import POOL_TIMEOUT_SECONDS, set_timeouts

Statement: TypeAlias = "tuple[UpdateBase, Parameters]"
"""A SQLAlchemy statement, which is built once, and its parameters."""


@dataclass(eq=False)
class _PendingWrite:
    """The statements of one call, and their result."""

    statements: Sequence[Statement]
    done: bridge.OneShotEvent = field(default_factory=bridge.OneShotEvent)
    failure: Exception | None = None
    was_batched: bool = False


class GroupCommit:
    """A queue of writes. Writes that arrive during a commit are batched into the next transaction."""

    def __init__(self, timeout: float) -> None:
        """`timeout` is the time-out of each statement in seconds."""
        self._timeout = timeout
        self._pending: deque[_PendingWrite] = deque()
        self._lock = Lock()
        self._is_writing = False

    def write(self, *statements: Statement, alone: bool = False) -> None:
        """Execute the statements, and return when they are committed.

        `alone` gives them a transaction of their own. This is needed for rows that several calls write, such as the
        spending of a month: batches of two processes could each wait for a row of the other.
        Raises IntegrityError for a row that exists already, and the errors in UNAVAILABLE. Nothing is written then.
        """
        engines = db.engines
        engine, loop_engine = engines[None], engines.get(EVENT_LOOP)
        # With no other call in progress there is nothing to batch.
        if not alone and loop_engine and bridge.is_only_call() and self._try_on_loop(loop_engine, [statements]):
            return
        mine = _PendingWrite(statements)
        if not alone:
            self._write_batched(engine, loop_engine, mine)
        # In a batch, the row that exists already may be another call's, so each call of the batch tries again alone.
        if alone or (mine.was_batched and isinstance(mine.failure, IntegrityError)):
            bridge.run_in_executor(lambda: self._commit(engine, [statements], self._timeout))
        elif mine.failure:
            raise mine.failure

    def _try_on_loop(self, loop_engine: Engine, batch: Iterable[Sequence[Statement]]) -> bool:
        """Write on the event loop, without waiting for locks, and tell whether that succeeded."""
        with suppress(Exception):  # a thread repeats it and reports the error, since it can wait for the database
            self._commit(loop_engine, batch, 0, keep=True)
            return True
        return False

    def _write_batched(self, engine: Engine, loop_engine: Engine | None, mine: _PendingWrite) -> None:
        with self._lock:
            self._pending.append(mine)
            # Under the lock: a writer clears the flag in the same step in which it finds the queue empty, so each write
            # is either in the batch of a running writer, or starts a new one.
            is_writing, self._is_writing = self._is_writing, True
        if not is_writing:
            self._start(engine, loop_engine)
        if not mine.done.wait(POOL_TIMEOUT_SECONDS):
            self._give_up(mine)

    def _start(self, engine: Engine, loop_engine: Engine | None) -> None:
        """Write SQLite's file on the event loop, unless it is locked: waking a thread takes longer."""
        if loop_engine and bridge.is_on_loop():
            # Not immediately: calls that are ready in this pass of the loop get into the same batch.
            bridge.call_soon(lambda: self._write_on_loop(loop_engine, engine))
        else:
            bridge.submit(lambda: self._write_all(engine))

    def _write_on_loop(self, loop_engine: Engine, engine: Engine) -> None:
        batch = self._next_batch()
        if self._try_on_loop(loop_engine, [each.statements for each in batch]):
            for each in batch:
                each.done.set()
            batch = []
        with self._lock:
            # A batch that was not written goes back to the front, in its order.
            self._pending.extendleft(reversed(batch))
            has_more = self._is_writing = bool(self._pending)
        if has_more:
            bridge.submit(lambda: self._write_all(engine))

    def _write_all(self, engine: Engine) -> None:
        """Write one batch after another until none is pending."""
        while batch := self._next_batch():
            failure: Exception | None = None
            try:
                self._commit(engine, [each.statements for each in batch], self._timeout)
            except Exception as error:  # noqa: BLE001 - it is raised in each of the waiting calls
                failure = error
            # Set before the events: a call reads them as soon as it is woken.
            for each in batch:
                each.failure, each.was_batched = failure, len(batch) > 1
            bridge.OneShotEvent.set_all(each.done for each in batch)

    def _next_batch(self) -> list[_PendingWrite]:
        with self._lock:
            batch = list(self._pending)
            self._pending.clear()
            self._is_writing = bool(batch)
            return batch

    def _commit(
        self, engine: Engine, batch: Iterable[Sequence[Statement]], timeout: float, *, keep: bool = False
    ) -> None:
        with raw_connection(engine, keep=keep) as connection:
            set_timeouts(connection, timeout)
            for (statement, names), rows in _rows_by_statement(batch).items():
                compile_once(statement, engine.dialect, names).execute(connection.driver_connection, rows)
            connection.commit()

    def _give_up(self, mine: _PendingWrite) -> None:
        """Raise PoolTimeoutError, unless the write is being committed: that is bounded by its own time-outs."""
        # `remove` raises ValueError if the write has left the queue, because it is part of the running commit.
        with self._lock, suppress(ValueError):
            self._pending.remove(mine)
            raise PoolTimeoutError("The write was still queued behind other writes after the time-out.")
        if not mine.done.wait(POOL_TIMEOUT_SECONDS):
            raise PoolTimeoutError("The database did not confirm the write before the time-out.")


def _rows_by_statement(
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
        compile_once(statement, db.engine.dialect, tuple(parameters))
    if loop_engine := db.engines.get(EVENT_LOOP):
        with raw_connection(loop_engine):
            pass
