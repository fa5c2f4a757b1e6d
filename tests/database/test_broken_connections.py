"""Connections to PostgreSQL that break or go silent are not used again."""

from typing import Any

import pytest
import sqlalchemy as sa
from psycopg import OperationalError
from sqlalchemy import event
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import DBAPIError

from glific_gpt.database import db
from glific_gpt.database.compiled import raw_connection
from glific_gpt.database.session import EVENT_LOOP
from glific_gpt.database.timeouts import TimeoutConnection
from tests.support.network_faults import FaultyProxy
from tests.support.server import RunningServer

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@on_postgresql
def test_a_connection_that_went_silent_is_closed(database_url: str) -> None:
    """The late reply would otherwise be read as the reply to the next statement."""
    url = make_url(database_url)
    with FaultyProxy(url.host or "127.0.0.1", url.port or 5432) as proxy:
        connection = TimeoutConnection.connect(
            host="127.0.0.1", port=proxy.port, user=url.username, dbname=url.database, autocommit=True
        )
        connection.execute("SELECT 1")
        connection.socket_timeout = 0.2
        proxy.stop_forwarding()
        with pytest.raises(OperationalError):
            connection.execute("SELECT 1")
        assert connection.closed


def break_and_use(engine: Engine) -> None:
    """End the server process of a connection, and use the connection."""
    with raw_connection(engine) as connection:
        raw: Any = connection.driver_connection
        with db.engine.connect() as other:
            other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": raw.info.backend_pid})
        raw.execute("SELECT 1")


@on_postgresql
def test_a_broken_connection_is_invalidated(server: RunningServer) -> None:
    with server.app.app_context():
        engine = db.engines[EVENT_LOOP]
        invalidated: list[Any] = []
        event.listen(engine, "invalidate", lambda *arguments: invalidated.append(arguments))
        with pytest.raises(DBAPIError):
            break_and_use(engine)
        assert len(invalidated) == 1
        with raw_connection(engine) as connection:
            assert connection.driver_connection.execute("SELECT 1").fetchone() == (1,)  # type: ignore[union-attr]
