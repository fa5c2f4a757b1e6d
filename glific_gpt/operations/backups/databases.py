"""The databases of these commands: their kind, whether they are empty and unused, and their migrations."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flask_migrate
import psycopg
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from glific_gpt.database import db, migrations
from glific_gpt.database.connection_shares import share_out
from glific_gpt.database.engines import init_engines
from glific_gpt.durable import schema
from glific_gpt.durable.locks import locks_for
from glific_gpt.errors import Conflict, InvalidValue
from glific_gpt.operations.backups.contents import REVISIONS, Kind, parse_revision
from glific_gpt.services import EXTENSION, services

CONNECT_TIMEOUT_SECONDS = 10
LOCK_TIMEOUT_SECONDS = 10

CONTENT_TABLES = frozenset({"organizations", "users", "api_tokens", "audit_entries", "outgoing_emails"})
"""Tables that are empty as long as nobody has used the database. A server fills some of the others at its start."""

MSG_NOT_EMPTY = "{} is not empty: the table {} has rows. Use an empty database."
MSG_IN_USE = "{} is in use by a server or worker. Stop it first."
MSG_NEWER = "{} is of a newer release (migration {:04}, this release has {:04}). Use that release."


def kind_of(url: URL) -> Kind:
    return Kind(url.get_backend_name())


def connection_options(url: URL) -> dict[str, Any]:
    """Return the arguments of psycopg for a PostgreSQL database."""
    _, options = url.get_dialect()().create_connect_args(url)
    return {"connect_timeout": CONNECT_TIMEOUT_SECONDS, **options}


def sqlite_path(url: URL) -> Path:
    return Path(str(url.database))


@contextmanager
def connect(url: URL) -> Iterator[sa.Connection]:
    """Open a connection in a transaction, which ends with a rollback unless it is committed.

    Its statements have no time-out, except for waiting for locks.
    """
    is_sqlite = kind_of(url) is Kind.SQLITE
    arguments = {} if is_sqlite else {"connect_timeout": CONNECT_TIMEOUT_SECONDS}
    engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True, connect_args=arguments)
    try:
        with engine.connect() as connection:
            if not is_sqlite:
                connection.execute(sa.text("SET statement_timeout = 0"))
                connection.execute(sa.text(f"SET lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'"))
                connection.commit()
            yield connection
    finally:
        engine.dispose()


@contextmanager
def driver_errors() -> Iterator[None]:
    """Raise errors of the databases' drivers as those of SQLAlchemy, which `failures` can describe."""
    try:
        yield
    except (psycopg.Error, sqlite3.Error) as error:
        raise OperationalError("", None, error) from None


def require_empty_and_unused(url: URL, subject: str = "The database") -> None:
    """Raise Conflict if the database has content, or if a server or worker runs on it.

    `subject` begins the sentence of the error.
    """
    if kind_of(url) is Kind.SQLITE and not sqlite_path(url).exists():
        return
    with connect(url) as connection:
        revision = find_revision(connection)
        if not _is_rest_of_restore(connection):
            _require_empty(connection, subject)
    if locks_for(url).is_any_held():
        raise Conflict(MSG_IN_USE.format(subject))
    require_known(revision or 0, subject)


def _is_rest_of_restore(connection: sa.Connection) -> bool:
    """Return whether there are tables without a revision, which only a killed restore leaves behind."""
    return find_revision(connection) is None and sa.inspect(connection).has_table(REVISIONS)


def _require_empty(connection: sa.Connection, subject: str) -> None:
    # The default schema. On PostgreSQL, it does not contain the tables of the workflow engine.
    for name in sorted({*sa.inspect(connection).get_table_names()} - _UNUSED_TABLES):
        if connection.scalar(sa.select(1).select_from(sa.table(name)).limit(1)):
            raise Conflict(MSG_NOT_EMPTY.format(subject, name))


def require_known(revision: int, subject: str) -> None:
    """Raise InvalidValue if this release does not know the migration."""
    if revision > migrations.newest():
        raise InvalidValue(MSG_NEWER.format(subject, revision, migrations.newest()))


_UNUSED_TABLES = frozenset({*db.metadata.tables, *schema.TABLES, REVISIONS}) - CONTENT_TABLES


def find_revision(connection: sa.Connection) -> int | None:
    """Return the number of the database's last migration; None if it has none."""
    if not sa.inspect(connection).has_table(REVISIONS):
        return None
    found = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return None if found is None else parse_revision(found)


def count_rows(connection: sa.Connection, tables: Iterable[str]) -> dict[str, int]:
    """Return the numbers of rows of these tables of a PostgreSQL database."""
    counts: dict[str, int] = {}
    engine_tables = sa.inspect(connection).get_table_names(schema.POSTGRESQL_SCHEMA)
    for name in tables:
        table = sa.table(name, schema=schema.POSTGRESQL_SCHEMA if name in engine_tables else None)
        counts[name] = connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
    return counts


def analyze(url: URL) -> None:
    """Let PostgreSQL count its rows for the planning of queries, which it would do only after minutes."""
    with connect(url) as connection:
        connection.execute(sa.text("ANALYZE"))
        connection.commit()


def delete_rest_of_restore(url: URL) -> None:
    """Delete what a killed restore has left in a PostgreSQL database."""
    with connect(url) as connection:
        is_rest = _is_rest_of_restore(connection)
    if is_rest:
        delete_tables(url)


def delete_tables(url: URL) -> None:
    """Delete our tables and those of the workflow engine from a PostgreSQL database."""
    with connect(url) as connection:
        names = sorted({*db.metadata.tables, REVISIONS} & set(sa.inspect(connection).get_table_names()))
        quote = connection.dialect.identifier_preparer.quote
        if names:
            connection.execute(sa.text(f"DROP TABLE {', '.join(map(quote, names))} CASCADE"))
        connection.execute(sa.text(f"DROP SCHEMA IF EXISTS {schema.POSTGRESQL_SCHEMA} CASCADE"))
        connection.commit()


@contextmanager
def using(url: URL) -> Iterator[None]:
    """Let the functions of `database` and the migrations use another database than the app's, within the block."""
    app = Flask("glific_gpt")
    init_engines(app, url.render_as_string(hide_password=False), share_out(services().settings.database_connections))
    app.extensions[EXTENSION] = services()
    flask_migrate.Migrate().init_app(app, db, directory=str(migrations.DIRECTORY), render_as_batch=True)
    with app.app_context():
        try:
            yield
        finally:
            db.engine.dispose()


def upgrade() -> None:
    """Run the missing migrations of the database that `using` names, like `flask db upgrade`."""
    flask_migrate.upgrade()
