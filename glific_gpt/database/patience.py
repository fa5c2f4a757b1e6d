"""A PostgreSQL connection that gives up a server which says nothing; the driver itself would wait for ever."""

from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

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
