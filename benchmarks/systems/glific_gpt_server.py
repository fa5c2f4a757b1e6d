"""glific_gpt as a system: it authenticates, decrypts the key, checks the allowlist and records each call."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from benchmarks import server
from benchmarks.databases import sqlite_database
from benchmarks.systems.system import POSTGRESQL, SIGNED, SQLITE, System
from tests.support.databases import postgresql_database


def start_on_sqlite(upstream: str, **settings: object) -> AbstractContextManager[System]:
    return _start(SQLITE, sqlite_database(), upstream, settings)


def start_on_postgresql(upstream: str, **settings: object) -> AbstractContextManager[System]:
    return _start(POSTGRESQL, postgresql_database(), upstream, settings)


def start_signed(upstream: str, **settings: object) -> AbstractContextManager[System]:
    """Start the server for calls with Glific's signature. Each has a new one, so that its reply is stored, too."""
    return _start(SIGNED, sqlite_database(), upstream, settings, with_signature=True)


@contextmanager
def _start(
    name: str,
    database: AbstractContextManager[str],
    upstream: str,
    settings: dict[str, object],
    *,
    with_signature: bool = False,
) -> Iterator[System]:
    with database as url:
        environ = server.build_environment(url, upstream, **settings)
        server.migrate(environ)
        target = server.create_organization(environ, signed=with_signature)
        with server.run_server(environ) as program:
            yield System(name, [target], program)
