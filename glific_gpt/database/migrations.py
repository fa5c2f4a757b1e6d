"""Whether the database has every migration."""

from functools import cache
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

DIRECTORY = Path(__file__).parents[2] / "migrations"


@cache
def newest() -> str | None:
    """The revision that this code needs."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(DIRECTORY)).get_current_head()


def are_current(session: Session) -> bool:
    """Raises one of database.UNAVAILABLE when the database cannot be asked, DatabaseError where there is none yet."""
    return bool(session.scalar(text("SELECT version_num FROM alembic_version")) == newest())
