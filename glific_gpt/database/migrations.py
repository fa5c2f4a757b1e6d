"""Check that the database has every migration."""

from functools import cache
from pathlib import Path

import structlog
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from glific_gpt.database import failures
from glific_gpt.database.session import transaction
from glific_gpt.errors import SettingsError

DIRECTORY = Path(__file__).parents[2] / "migrations"

NEWEST_DBOS_TABLE = "workflow_output"
"""The last table that DBOS creates. Its migrations run after our own, and Alembic does not know about them."""

log = structlog.get_logger()


@cache
def newest() -> int:
    """Return the number of the newest revision in the code. Revision files begin with their number."""
    return max(int(path.name[:4]) for path in (DIRECTORY / "versions").glob("[0-9]*.py"))


def are_current(connection: Connection) -> bool:
    """Tell whether the database has every migration in the code. It has none when there are no tables yet.

    A database that is ahead is accepted: each migration works with the release before it, which keeps serving while
    it is replaced. Raises SQLAlchemyError when the database cannot be queried.
    """
    schema = "dbos" if connection.dialect.name == "postgresql" else None
    return read_revision(connection) >= newest() and inspect(connection).has_table(NEWEST_DBOS_TABLE, schema=schema)


def read_revision(connection: Connection) -> int:
    """Return the number of the database's revision, or 0 if it has none."""
    if not inspect(connection).has_table("alembic_version"):
        return 0
    revision = str(connection.scalar(text("SELECT version_num FROM alembic_version")))
    return int(revision) if revision.isdecimal() else 0


def require_current() -> None:
    """Raise SettingsError, with the reason, when the database cannot be used or is behind on migrations.

    A newer database is only logged: the server was replaced by an earlier release, or the next one is being installed.
    """
    try:
        with transaction() as session:
            is_current = are_current(session.connection())
            revision = read_revision(session.connection())
    except SQLAlchemyError as error:
        raise SettingsError(failures.describe(error).message) from None
    if not is_current:
        raise SettingsError(failures.MIGRATIONS_MISSING.message)
    if revision > newest():
        log.warning("newer_database_accepted", revision=f"{revision:04}", newest_known=f"{newest():04}")
