"""A connection of the event loop to PostgreSQL: it sends statements together, and the loop reads their results.

It is a connection of psycopg, used by libpq's pipeline mode
(https://www.postgresql.org/docs/current/libpq-pipeline-mode.html): the statements of a batch take one round trip, and
are one transaction. Each statement is prepared once.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult
from sqlalchemy.pool import PoolProxiedConnection

from glific_gpt.database.compiled import CompiledStatement

Command: TypeAlias = "tuple[CompiledStatement, Sequence[Sequence[Any]]]"
"""A statement, and the values of each of its executions."""

Row: TypeAlias = "tuple[Any, ...] | None"


STALE = frozenset({"0A000", "26000"})
"""SQLSTATEs of a prepared statement that does not fit the table any more, after a migration, or that is gone."""


class ConnectionLost(psycopg.OperationalError):
    """The connection broke before the results of its statements arrived. They may have been executed all the same."""


@dataclass(eq=False)
class _Batch:
    """Statements that were sent, and what has arrived of their results."""

    future: "asyncio.Future[list[Row]]"
    expected: deque[CompiledStatement | None] = field(default_factory=deque)
    """For each result that is to come, in order: the statement that it says is prepared, or None for an execution."""
    rows: list[Row] = field(default_factory=list)
    error: psycopg.Error | None = None
    timer: asyncio.TimerHandle | None = None


class PipelinedConnection:
    """A connection for one batch of statements after another. Only the thread of its event loop may use it.

    The loop watches it all the time, so it need not be asked whether it lives.
    """

    def __init__(
        self,
        lent: PoolProxiedConnection,
        loop: asyncio.AbstractEventLoop,
        then: "Callable[[PipelinedConnection], object]",
    ) -> None:
        """`lent` is a connection in autocommit mode. `then` is called when a batch has ended, and when it is closed."""
        connection = cast("psycopg.Connection[Any]", lent.driver_connection)
        self._lent, self._loop, self._then = lent, loop, then
        self._libpq, self._transformer = connection.pgconn, Transformer(connection)
        self._prepared: set[CompiledStatement] = set()
        self._batch: _Batch | None = None
        self.is_open = True
        self._libpq.enter_pipeline_mode()
        self._socket = self._libpq.socket
        loop.add_reader(self._socket, self._read)

    def send(self, commands: Sequence[Command], seconds: float) -> "asyncio.Future[list[Row]]":
        """Execute statements in one transaction. The future has the first row of each execution, or None.

        It fails with an error of psycopg: after that time, which closes the connection, with ConnectionLost, and with
        the first error of a statement. Cancelling it does not stop the statements.
        """
        # Before anything is sent: a value that psycopg refuses must not leave half a batch in the pipeline.
        executions = [(command, [self._dump(values) for values in rows]) for command, rows in commands]
        batch = self._batch = _Batch(self._loop.create_future())
        batch.timer = self._loop.call_later(seconds, self._time_out)
        try:
            for command, rows in executions:
                self._queue(batch, command, rows)
            self._libpq.pipeline_sync()
            self._flush()
        except psycopg.Error as error:
            self._lose(error)
        return batch.future

    def close(self) -> None:
        """Close it now. A batch that was sent fails with ConnectionLost."""
        self._lose(ConnectionLost("The connection was closed."))

    def _queue(self, batch: _Batch, command: CompiledStatement, rows: Sequence[Any]) -> None:
        name = b"call_%d" % id(command)
        if command not in self._prepared:
            self._libpq.send_prepare(name, command.sql.encode())
            batch.expected.append(command)
        for values in rows:
            self._libpq.send_query_prepared(name, values)
            batch.expected.append(None)

    def _dump(self, values: Sequence[Any]) -> Any:
        # As texts and without types: PostgreSQL takes the types from the casts that SQLAlchemy writes.
        return self._transformer.dump_sequence(values, [PyFormat.TEXT] * len(values))

    def _flush(self) -> None:
        """Send what is not sent yet, as far as the socket takes it."""
        if self._libpq.flush():
            self._loop.add_writer(self._socket, self._flush_more)

    def _flush_more(self) -> None:
        self._loop.remove_writer(self._socket)
        try:
            self._flush()
        except psycopg.Error as error:
            self._lose(error)

    def _read(self) -> None:
        """Read what has arrived: results, or the end of the connection."""
        try:
            self._libpq.consume_input()
            while self._batch and not self._libpq.is_busy() and self._libpq.status == ConnStatus.OK:
                self._receive(self._batch, self._libpq.get_result())
            if self._libpq.status != ConnStatus.OK:
                raise ConnectionLost("The connection is lost.")
        except psycopg.Error as error:
            self._lose(error)

    def _receive(self, batch: _Batch, result: PGresult | None) -> None:
        if result is None:  # libpq's separator between the results of two statements
            return
        if result.status == ExecStatus.PIPELINE_SYNC:
            if batch.error and batch.error.sqlstate in STALE:
                self._lose(batch.error)
            else:
                self._end(batch)
            return
        prepared = batch.expected.popleft()
        if result.status == ExecStatus.FATAL_ERROR:
            batch.error = batch.error or error_from_result(result)
        elif batch.error:  # PostgreSQL ignores the rest of the batch
            return
        elif prepared:
            self._prepared.add(prepared)
        else:
            batch.rows.append(self._first_row(result))

    def _first_row(self, result: PGresult) -> Row:
        if not result.ntuples:
            return None
        self._transformer.set_pgresult(result)
        return self._transformer.load_row(0, tuple)

    def _end(self, batch: _Batch) -> None:
        self._batch = None
        if batch.timer:
            batch.timer.cancel()
        if not batch.future.done():  # cancelled, if the call has given up
            if batch.error:
                batch.future.set_exception(batch.error)
            else:
                batch.future.set_result(batch.rows)
        self._then(self)

    def _time_out(self) -> None:
        # A reply that arrives later would be read as the reply to the next statement.
        self._close(psycopg.OperationalError("timeout expired: the database did not answer"))

    def _lose(self, cause: psycopg.Error) -> None:
        reason = (self._batch and self._batch.error) or cause
        lost = ConnectionLost(str(reason))
        lost.sqlstate = reason.sqlstate
        self._close(lost)

    def _close(self, error: psycopg.Error) -> None:
        was_open, self.is_open = self.is_open, False
        if was_open:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.remove_reader(self._socket)
                self._loop.remove_writer(self._socket)
            self._lent.invalidate(error)
        if self._batch:
            self._batch.error = error
            self._end(self._batch)
        elif was_open:
            self._then(self)
