"""Faults of a database in use: a lock, a failover to a standby, slow inserts."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

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
def _connect(url: str, **options: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url, **options)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
