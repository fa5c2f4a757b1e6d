"""The event loop's own connections to PostgreSQL, for the statements of every call.

A statement in a thread takes three times the processor time. The pool of an engine opens the connections, in a thread,
and the loop keeps them.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import psycopg
from sqlalchemy import Select, bindparam, func, select, true
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.sql import ClauseElement

from glific_gpt.database import failures
from glific_gpt.database.compiled import CompiledStatement, Parameters, compile_once
from glific_gpt.database.pipelined_connection import Command, ConnectionLost, PipelinedConnection, Row
from glific_gpt.database.timeouts import POOL_TIMEOUT_SECONDS, SOCKET_MARGIN_SECONDS, STATEMENT_TIMEOUT_SECONDS
from glific_gpt.runtime import call_context, call_threads

Executions: TypeAlias = "tuple[ClauseElement, Sequence[Parameters]]"
"""A statement, and the parameters of each of its executions, which have the same names."""

SET_TIMEOUTS = select(
    func.set_config("lock_timeout", bindparam("timeout"), true()),
    func.set_config("statement_timeout", bindparam("timeout"), true()),
)
"""`true` limits the setting to the current transaction."""


class EventLoopConnections:
    """A pool whose connections go to waiting calls in order. Only the thread of the event loop may use it."""

    def __init__(self, engine: Engine, loop: asyncio.AbstractEventLoop, size: int) -> None:
        self.loop = loop
        self._engine = engine
        self._size = size
        self._connections: set[PipelinedConnection] = set()
        self._idle: list[PipelinedConnection] = []
        self._connecting = 0
        """Number of connections that are being opened."""
        self._waiting: deque[asyncio.Future[PipelinedConnection]] = deque()

    def fetch_one(self, statement: Select[Any], parameters: Parameters) -> dict[str, Any] | None:
        """Return the first row of a query, by column name, or None. Raises as `commit` does."""
        compiled = self._compile(statement, parameters)
        (row,) = self._execute([(compiled, [compiled.bind(parameters)])], STATEMENT_TIMEOUT_SECONDS)
        return None if row is None else compiled.name_columns(row)

    def commit(self, executions: Iterable[Executions], timeout: float) -> None:
        """Execute statements in one transaction. `timeout` is that of each one, in seconds, and of all together.

        Raises errors of SQLAlchemy. For those that `is_worth_repeating` accepts, a thread can do it again. Raises
        call_threads.WaitTimeout at the deadline of the call. The statements may be executed all the same then.
        """
        commands = [
            (compiled, [compiled.bind(row) for row in rows])
            for compiled, rows in ((self._compile(statement, rows[0]), rows) for statement, rows in executions)
        ]
        if timeout != STATEMENT_TIMEOUT_SECONDS:  # new connections have that one already
            limit = {"timeout": str(round(timeout * 1000))}
            set_timeouts = self._compile(SET_TIMEOUTS, limit)
            commands.insert(0, (set_timeouts, [set_timeouts.bind(limit)]))
        self._execute(commands, timeout)

    def close(self) -> None:
        """Close all connections, also those in use."""
        self._size = 0
        for connection in list(self._connections):
            connection.close()

    def _compile(self, statement: ClauseElement, parameters: Parameters) -> CompiledStatement:
        return compile_once(statement, self._engine.dialect, tuple(parameters))

    def _execute(self, commands: Sequence[Command], seconds: float) -> list[Row]:
        try:
            connection = self._idle.pop() if self._idle else self._wait_for_connection()
            return call_threads.wait_for(connection.send(commands, seconds + SOCKET_MARGIN_SECONDS))
        except psycopg.Error as error:
            dialect = self._engine.dialect
            raise DBAPIError.instance(None, None, error, psycopg.Error, hide_parameters=True, dialect=dialect) from None

    def _wait_for_connection(self) -> PipelinedConnection:
        waiter: asyncio.Future[PipelinedConnection] = self.loop.create_future()
        self._waiting.append(waiter)
        self._open_another()
        try:
            return call_threads.wait_for(waiter, POOL_TIMEOUT_SECONDS)
        except call_threads.WaitTimeout:
            if not call_context.limit_wait(POOL_TIMEOUT_SECONDS):  # the deadline of the call
                raise
            raise PoolTimeoutError("The event loop had no free connection before the time-out.") from None

    def _open_another(self) -> None:
        if len(self._connections) + self._connecting < self._size:
            self._connecting += 1
            call_threads.submit(self._connect)

    def _connect(self) -> None:
        """Open a connection, in a thread."""
        try:
            opened = partial(self._add, self._engine.raw_connection())
        except Exception as failure:  # noqa: BLE001 - the waiting calls raise it
            opened = partial(self._fail, failure)
        self.loop.call_soon_threadsafe(opened)

    def _add(self, lent: PoolProxiedConnection) -> None:
        self._connecting -= 1
        if not self._size:  # closed meanwhile
            lent.invalidate()
            return
        connection = PipelinedConnection(lent, self.loop, self._take_back)
        self._connections.add(connection)
        self._take_back(connection)

    def _fail(self, failure: Exception) -> None:
        """Have the waiting calls raise the failure, unless they can wait for other connections."""
        self._connecting -= 1
        if self._connections or self._connecting:
            return
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(failure)

    def _take_back(self, connection: PipelinedConnection) -> None:
        if not connection.is_open:
            self._connections.discard(connection)
            if connection in self._idle:
                self._idle.remove(connection)
            if self._waiting:
                self._open_another()
            return
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():  # its call has not given up
                waiter.set_result(connection)
                return
        self._idle.append(connection)


_pools: WeakKeyDictionary[Engine, EventLoopConnections] = WeakKeyDictionary()


def connections_of(engine: Engine) -> EventLoopConnections:
    """Return the connections of the running event loop. They are opened by the pool of this engine."""
    pool, loop = _pools.get(engine), asyncio.get_running_loop()
    if pool is None or pool.loop is not loop:
        close_connections(engine)
        size = engine.pool.size()  # type: ignore[attr-defined]
        pool = _pools[engine] = EventLoopConnections(engine, loop, size)
    return pool


def close_connections(engine: Engine) -> None:
    """Close the event loop's connections of an engine, from any thread."""
    if pool := _pools.pop(engine, None):
        if pool.loop.is_running():
            pool.loop.call_soon_threadsafe(pool.close)
        else:
            pool.close()


def is_worth_repeating(error: DBAPIError) -> bool:
    """Tell whether a thread, which can wait for the database, may succeed after an error on the event loop.

    On SQLite this is any error. On PostgreSQL the connection broke, or the loop could open none.
    """
    original = error.orig
    return (
        not isinstance(original, psycopg.Error)
        or isinstance(original, ConnectionLost)
        or (failures.is_connection_limit(original))
    )
