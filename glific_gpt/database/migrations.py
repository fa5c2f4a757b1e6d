"""Whether the database has every migration."""

from functools import cache
from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

DIRECTORY = Path(__file__).parents[2] / "migrations"


@cache
def newest() -> str | None:
    """The revision that this code needs."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(DIRECTORY)).get_current_head()


def are_current(session: Session) -> bool:
    """False also where there are no tables yet. Raises SQLAlchemyError when the database cannot be asked."""
    if not inspect(session.connection()).has_table("alembic_version"):
        return False
    return bool(session.scalar(text("SELECT version_num FROM alembic_version")) == newest())
