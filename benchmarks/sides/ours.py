"""Our server as a side: authentication, decryption of the key, allowlist and a recorded call for each question."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from benchmarks import server
from benchmarks.databases import sqlite_database
from benchmarks.sides.side import POSTGRESQL, SIGNED, SQLITE, Side
from tests.support.databases import postgresql_database


def on_sqlite(upstream: str, **settings: object) -> AbstractContextManager[Side]:
    return _side(SQLITE, sqlite_database(), upstream, settings)


def on_postgresql(upstream: str, **settings: object) -> AbstractContextManager[Side]:
    return _side(POSTGRESQL, postgresql_database(), upstream, settings)


def signed(upstream: str, **settings: object) -> AbstractContextManager[Side]:
    """With Glific's signature, each a new one: what an answer to the same call needs is claimed and stored, too."""
    return _side(SIGNED, sqlite_database(), upstream, settings, with_signature=True)


@contextmanager
def _side(
    name: str,
    database: AbstractContextManager[str],
    upstream: str,
    settings: dict[str, object],
    *,
    with_signature: bool = False,
) -> Iterator[Side]:
    with database as url:
        environ = server.environment(url, upstream, **settings)
        server.migrate(environ)
        target = server.organization(environ, signed=with_signature)
        with server.serve(environ) as program:
            yield Side(name, [target], program)
