"""Faults of a database in use: a lock, a failover to a standby, slow inserts, few connections."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from glific_gpt.database import transaction
from tests.support.server import RunningServer

SLOW_INSERTS = """
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(3); RETURN NEW; END';
CREATE TRIGGER dawdle BEFORE INSERT ON calls FOR EACH ROW EXECUTE FUNCTION dawdle()
"""


@contextmanager
def lock_calls(url: str) -> Iterator[None]:
    """Block all other writes of calls."""
    lock = "BEGIN IMMEDIATE" if url.startswith("sqlite") else "LOCK TABLE calls IN EXCLUSIVE MODE"
    with _connect(url) as connection:
        connection.execute(sa.text(lock))
        yield


@contextmanager
def make_read_only(url: str) -> Iterator[None]:
    """Close every connection to this PostgreSQL database, and make new ones read-only, as on a standby."""
    alter = f'ALTER DATABASE "{sa.make_url(url).database}"'
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with _connect(url, isolation_level="AUTOCOMMIT") as connection:
        try:
            connection.execute(sa.text(f"{alter} SET default_transaction_read_only = on"))
            connection.execute(sa.text(f"SELECT pg_terminate_backend(pid) {others}"))
            yield
        finally:
            connection.execute(sa.text(f"{alter} RESET default_transaction_read_only"))


@contextmanager
def slow_down_inserts(url: str) -> Iterator[None]:
    """Make each insert of a call take three seconds in this PostgreSQL database."""
    with _connect(url, isolation_level="AUTOCOMMIT") as connection:
        try:
            connection.execute(sa.text(SLOW_INSERTS))
            yield
        finally:
            connection.execute(sa.text("DROP FUNCTION IF EXISTS dawdle CASCADE"))


@contextmanager
def limited_role(url: str, limit: int) -> Iterator[str]:
    """Yield the URL of the same database for a role that may open this number of connections."""
    name = f"limited_{secrets.token_hex(4)}"
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE ROLE {name} LOGIN CONNECTION LIMIT {limit}"))
        try:
            for schema in ("public", "dbos"):
                connection.execute(sa.text(f"GRANT ALL ON SCHEMA {schema} TO {name}"))
                connection.execute(sa.text(f"GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {name}"))
                connection.execute(sa.text(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA {schema} TO {name}"))
                connection.execute(sa.text(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {name}"))
            yield sa.make_url(url).set(username=name).render_as_string(hide_password=False)
        finally:
            connection.execute(
                sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = :name"), {"name": name}
            )
            connection.execute(sa.text(f"DROP OWNED BY {name}"))
            connection.execute(sa.text(f"DROP ROLE {name}"))
    engine.dispose()


@contextmanager
def _connect(url: str, **options: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url, **options)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def without_a_connection(server: RunningServer) -> Iterator[None]:
    """Hold the only writing connection of SQLite."""
    taken, done = threading.Event(), threading.Event()

    def take() -> None:
        with server.app.app_context(), transaction():
            taken.set()
            done.wait(30)

    thread = threading.Thread(target=take)
    thread.start()
    assert taken.wait(5)
    try:
        yield
    finally:
        done.set()
        thread.join()
