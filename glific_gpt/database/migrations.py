"""Check that the database has every migration."""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from glific_gpt.database import failures
from glific_gpt.database.session import transaction
from glific_gpt.errors import SettingsError

DIRECTORY = Path(__file__).parents[2] / "migrations"

NEWEST_DBOS_TABLE = "workflow_output"
"""The last table that DBOS creates. Its migrations run after our own, and Alembic does not know about them."""


@cache
def newest() -> int:
    """Return the number of the newest revision in the code. Revision files begin with their number."""
    return max(int(path.name[:4]) for path in (DIRECTORY / "versions").glob("[0-9]*.py"))


def are_current(connection: Connection) -> bool:
    """Tell whether the database has every migration in the code. It has none when there are no tables yet.

    A database that is ahead is accepted: each migration works with the release before it, which keeps serving while
    it is replaced. Raises SQLAlchemyError when the database cannot be queried.
    """
    found = inspect(connection)
    schema = "dbos" if connection.dialect.name == "postgresql" else None
    if not found.has_table("alembic_version") or not found.has_table(NEWEST_DBOS_TABLE, schema=schema):
        return False
    revision = str(connection.scalar(text("SELECT version_num FROM alembic_version")))
    return revision.isdecimal() and int(revision) >= newest()


def require_current() -> None:
    """Raise SettingsError, with the reason, when the database cannot be used or is behind on migrations."""
    try:
        with transaction() as session:
            is_current = are_current(session.connection())
    except SQLAlchemyError as error:
        raise SettingsError(failures.describe(error).message) from None
    if not is_current:
        raise SettingsError(failures.MIGRATIONS_MISSING.message)
