"""Time-outs of database connections and statements, on the server's side and on ours."""

from sqlite3 import Connection as SQLiteConnection
from typing import Any, cast

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy.pool import PoolProxiedConnection

from glific_gpt.runtime import event_loop

STATEMENT_TIMEOUT_SECONDS = 1.0
"""Default time-out of a statement: a part of a call's deadline, not all of it."""

POOL_TIMEOUT_SECONDS = 2
"""Time-out for getting a connection from a pool."""

SOCKET_MARGIN_SECONDS = 0.1
"""Added to the statement time-out for the socket's, so that a running server can report its own time-out first."""


class TimeoutConnection(psycopg.Connection[Any]):
    """A psycopg connection that waits for a reply no longer than its `socket_timeout`.

    psycopg itself waits without a limit. PostgreSQL's `statement_timeout` does not help when the server has stopped,
    and TCP reports no failure as long as a pooler or the kernel acknowledges what is sent.
    """

    socket_timeout: float | None = None
    """Seconds. None means no limit, which migrations need."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Raise psycopg.OperationalError after the time-out. The connection is closed then."""
        event_loop.require_thread("TimeoutConnection.wait")
        limit = self.socket_timeout if timeout is None else timeout
        try:
            return super().wait(gen, interval, limit)
        except psycopg.OperationalError:
            # The reply may still arrive, and would be read as the reply to the next statement.
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


def connect_with_timeout(
    _dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]
) -> TimeoutConnection:
    """Connect to PostgreSQL. This is a handler of SQLAlchemy's event do_connect."""
    return TimeoutConnection.connect(*arguments, **options)


_SET_TIMEOUTS = "SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true)"
"""`true` limits the setting to the current transaction."""


def set_timeouts(connection: PoolProxiedConnection, seconds: float) -> None:
    """Set the time-out of each statement in the current transaction."""
    milliseconds, raw = str(round(seconds * 1000)), connection.driver_connection
    if isinstance(raw, SQLiteConnection):
        if connection.info.get("busy_timeout") != milliseconds:
            raw.execute(f"PRAGMA busy_timeout = {milliseconds}")
            connection.info["busy_timeout"] = milliseconds
        return
    postgresql = cast("TimeoutConnection", raw)
    postgresql.socket_timeout = seconds + SOCKET_MARGIN_SECONDS
    if seconds != STATEMENT_TIMEOUT_SECONDS:  # new connections have that one already
        postgresql.execute(_SET_TIMEOUTS, (milliseconds, milliseconds))
