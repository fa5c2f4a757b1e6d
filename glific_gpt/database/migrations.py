"""Whether the database has every migration."""

from functools import cache
from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

DIRECTORY = Path(__file__).parents[2] / "migrations"


@cache
def newest() -> int:
    """The number of the revision that this code needs; revisions are numbered chapters."""
    from alembic.script import ScriptDirectory

    return int(ScriptDirectory(str(DIRECTORY)).get_current_head() or 0)


def are_current(session: Session) -> bool:
    """Whether the database has every migration that this code knows; false where there are no tables yet.

    One that is ahead will do: a migration works with the release before it, which must go on answering
    while it is replaced. Raises SQLAlchemyError when the database cannot be asked.
    """
    if not inspect(session.connection()).has_table("alembic_version"):
        return False
    revision = str(session.scalar(text("SELECT version_num FROM alembic_version")))
    return revision.isdecimal() and int(revision) >= newest()
