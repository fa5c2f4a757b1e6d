"""Databases for measurements: empty, and gone at the end. PostgreSQL only where a server can be reached."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import sqlalchemy as sa

from tests.support.databases import postgresql_database

POSTGRESQL_OMITTED = "PostgreSQL: none can be reached at TEST_POSTGRESQL_URL."


@contextmanager
def sqlite_database() -> Iterator[str]:
    """The URL of a file in a new folder."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield f"sqlite:///{folder}/bench.db"


def list_databases() -> dict[str, Callable[[], AbstractContextManager[str]]]:
    """What makes a database, by its name."""
    found: dict[str, Callable[[], AbstractContextManager[str]]] = {"SQLite": sqlite_database}
    if has_postgresql():
        found["PostgreSQL"] = postgresql_database
    return found


def has_postgresql() -> bool:
    try:
        with postgresql_database():
            return True
    except sa.exc.OperationalError:
        return False


def read_versions() -> dict[str, str]:
    """Of the databases that there are."""
    found = {"SQLite": _query_version("sqlite://", "SELECT sqlite_version()")}
    if has_postgresql():
        with postgresql_database() as url:
            found["PostgreSQL"] = _query_version(url, "SHOW server_version")
    return found


def _query_version(url: str, question: str) -> str:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        answer = str(connection.scalar(sa.text(question)))
    engine.dispose()
    return answer
