"""Empty, migrated databases for tests: a SQLite file, or a database on a reachable PostgreSQL server."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from flask_migrate import upgrade

from glific_gpt.database import db, migrations
from tests.support.apps import create_app
from tests.support.platforms import skip_or_fail
from tests.support.settings import create_settings

POSTGRESQL = os.environ.get("TEST_POSTGRESQL_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
"""A server on which databases may be created."""


def migrate(url: str, revision: str = "head") -> None:
    """Run the migrations up to this revision, like `flask db upgrade`."""
    app = create_app(create_settings(database_url=url))
    with app.app_context():
        upgrade(revision=revision)
        db.engine.dispose()


def require_postgresql() -> None:
    """Skip the test if there is no PostgreSQL, or fail in CI, which has one."""
    try:
        with _connect_to_server() as connection:
            connection.execute(sa.text("SELECT 1"))
    except sa.exc.OperationalError:
        skip_or_fail("No PostgreSQL at TEST_POSTGRESQL_URL.")


def copy_template(template: Path, folder: Path) -> str:
    """Copy a migrated SQLite database and return the URL of the copy."""
    target = folder / "glific_gpt.db"
    shutil.copy(template, target)
    return f"sqlite:///{target}"


@contextmanager
def postgresql_database() -> Iterator[str]:
    """Create an empty PostgreSQL database, yield its URL, and drop it afterwards.

    A commit there does not wait for the disk. Only a crash of the database server, which no test causes, could lose it.
    """
    name = f"glific_gpt_test_{uuid.uuid4().hex[:12]}"
    with _connect_to_server() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
        connection.execute(sa.text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    try:
        yield sa.make_url(POSTGRESQL).set(database=name).render_as_string(hide_password=False)
    finally:
        with _connect_to_server() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def behind_on_migrations(database_url: str) -> Iterator[None]:
    """Give the database the revision of an older release, and restore it afterwards for other tests."""
    newest = f"{migrations.newest():04}"
    _set_revision(database_url, "0000")
    try:
        yield
    finally:
        _set_revision(database_url, newest)


def _set_revision(database_url: str, revision: str) -> None:
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    engine.dispose()


def delete_all_rows(url: str) -> None:
    """Delete all rows of the product's tables and all workflows, and restart the sequences.

    It uses DELETE because TRUNCATE creates a file for each table and index, which takes a hundred times longer for
    few rows.
    """
    tables = [*(table.name for table in reversed(db.metadata.sorted_tables)), *_ENGINE_TABLES]
    statements = [f"DELETE FROM {table}" for table in tables]  # noqa: S608 - names of tables
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(";".join([*statements, _RESTART_SEQUENCES]))
    engine.dispose()


_ENGINE_TABLES = ("dbos.workflow_status", "dbos.workflow_input", "dbos.workflow_output")
_RESTART_SEQUENCES = """
SELECT setval((schemaname || '.' || sequencename)::regclass, 1, false) FROM pg_sequences
WHERE schemaname = 'public' AND last_value IS NOT NULL
"""


@contextmanager
def _connect_to_server() -> Iterator[sa.Connection]:
    engine = sa.create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3})
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
