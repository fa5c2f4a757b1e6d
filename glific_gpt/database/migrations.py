"""Whether the database has every migration."""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from glific_gpt.database.session import transaction
from glific_gpt.errors import SettingsError

DIRECTORY = Path(__file__).parents[2] / "migrations"

ENGINES_NEWEST = "workflow_output"
"""A table of the engine of durable work: the last that it makes, after our own migrations and outside of them."""


@cache
def newest() -> int:
    """The number of the revision that this code needs; revisions are numbered chapters."""
    return max(int(chapter.name[:4]) for chapter in (DIRECTORY / "versions").glob("[0-9]*.py"))


def are_current(connection: Connection) -> bool:
    """Whether the database has every migration that this code knows; false where there are no tables yet.

    One that is ahead will do: a migration works with the release before it, which must go on answering
    while it is replaced. Raises SQLAlchemyError when the database cannot be asked.
    """
    found = inspect(connection)
    schema = "dbos" if connection.dialect.name == "postgresql" else None
    if not found.has_table("alembic_version") or not found.has_table(ENGINES_NEWEST, schema=schema):
        return False
    revision = str(connection.scalar(text("SELECT version_num FROM alembic_version")))
    return revision.isdecimal() and int(revision) >= newest()


def require_current() -> None:
    """Raises SettingsError when the database is not there, or behind on migrations."""
    try:
        with transaction() as session:
            current = are_current(session.connection())
    except SQLAlchemyError:
        current = False
    if not current:
        raise SettingsError("The database cannot be reached or is behind on migrations: run 'flask db upgrade'.")
