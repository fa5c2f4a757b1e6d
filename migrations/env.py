"""Runs migrations on the app's own engine; the app and its settings come from the flask command."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from flask import current_app

from glific_gpt.database import Usd, UtcDateTime
from glific_gpt.durable import schema

migrate = current_app.extensions["migrate"]


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """A migration names plain types, so that it stays true when ours change."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Usd):
        return "sa.BigInteger()"
    return False


def skip_empty(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """A revision in which nothing changes is not written."""
    if getattr(context.config.cmd_opts, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
        directives.clear()


def include_object(_item: Any, name: str | None, kind: str, _reflected: object, compared: object) -> bool:
    """Tables of the engine of durable work are not ours to drop."""
    return kind != "table" or compared is not None or name not in schema.TABLES


def is_moving() -> bool:
    """Whether the command is one that brings the database to another revision, not one that only looks."""
    try:
        context.get_revision_argument()
    except KeyError:
        return False
    return True


with migrate.db.engine.connect() as connection:
    if connection.dialect.name == "postgresql":
        # The server's own statements are short; a migration may take its time.
        connection.execute(sa.text("SET statement_timeout = 0"))
        connection.commit()
        connection.connection.driver_connection.socket_timeout = None
    context.configure(
        connection=connection,
        target_metadata=migrate.db.metadata,
        render_item=render_item,
        process_revision_directives=skip_empty,
        include_object=include_object,
        **migrate.configure_args,
    )
    with context.begin_transaction():
        context.run_migrations()
    revision = int(context.get_context().get_current_revision() or 0)
# After ours, which hold the lock of a SQLite file until they are done; and each time, as the last may have failed.
if is_moving() and revision >= schema.FIRST_REVISION:
    schema.migrate(migrate.db.engine.url)
