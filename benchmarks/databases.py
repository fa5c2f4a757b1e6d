"""Empty databases for measurements, removed afterwards. PostgreSQL is used only if a server is reachable."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import sqlalchemy as sa

from tests.support.databases import postgresql_database

POSTGRESQL_OMITTED = "PostgreSQL: no server is reachable at TEST_POSTGRESQL_URL."


@contextmanager
def sqlite_database() -> Iterator[str]:
    """Yield the URL of a SQLite file in a temporary folder."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield f"sqlite:///{folder}/bench.db"


def list_databases() -> dict[str, Callable[[], AbstractContextManager[str]]]:
    """Return the functions that create a database, by the database's name."""
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
    """Return the versions of the available databases."""
    found = {"SQLite": _query_version("sqlite://", "SELECT sqlite_version()")}
    if has_postgresql():
        with postgresql_database() as url:
            found["PostgreSQL"] = _query_version(url, "SHOW server_version")
    return found


def _query_version(url: str, query: str) -> str:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        version = str(connection.scalar(sa.text(query)))
    engine.dispose()
    return version
