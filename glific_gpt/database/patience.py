"""How long the database is waited for, also one that says nothing: PostgreSQL's driver would wait for that for ever."""

from sqlite3 import Connection as SQLiteConnection
from typing import Any, cast

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy.pool import PoolProxiedConnection

BUSY_SECONDS = 1.0
"""How long a statement waits for the database before it gives up: a part of a call's time, not all of it."""

TURN_SECONDS = 2
"""How long a transaction waits for one of the process's connections."""

MARGIN_SECONDS = 0.1
"""Beyond the server's own time limit, so that a server that lives can say itself that it was too slow."""


class PatientConnection(psycopg.Connection[Any]):
    """Waits for each reply as long as it is told to.

    The server's `statement_timeout` is of no use when the server has stopped, and TCP notices nothing
    while a pooler or the kernel still acknowledges what is sent.
    """

    silence_seconds: float | None = None
    """None waits for ever, as migrations must."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Raises psycopg.OperationalError when the time is over, and the connection is of no use then."""
        limit = self.silence_seconds if timeout is None else timeout
        try:
            return super().wait(gen, interval, limit)
        except psycopg.OperationalError:
            # Its reply may still come, and would be taken for that of the next statement.
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


def connect_patiently(
    _dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]
) -> PatientConnection:
    """For SQLAlchemy's event do_connect."""
    return PatientConnection.connect(*arguments, **options)


_SET_LIMITS = "SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true)"
"""For this transaction."""


def be_patient(connection: PoolProxiedConnection, seconds: float) -> None:
    """The statements of this transaction wait that long for the database."""
    milliseconds, raw = str(round(seconds * 1000)), connection.driver_connection
    if isinstance(raw, SQLiteConnection):
        if connection.info.get("busy_timeout") != milliseconds:
            raw.execute(f"PRAGMA busy_timeout = {milliseconds}")
            connection.info["busy_timeout"] = milliseconds
        return
    patient = cast("PatientConnection", raw)
    patient.silence_seconds = seconds + MARGIN_SECONDS
    if seconds != BUSY_SECONDS:  # which is how a connection begins
        patient.execute(_SET_LIMITS, (milliseconds, milliseconds))
