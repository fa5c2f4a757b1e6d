"""Alembic environment. Migrations run on the engine of the app that the flask command has loaded."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from flask import current_app

from glific_gpt.database import Usd, UtcDateTime
from glific_gpt.durable import schema
from glific_gpt.operations import key_check
from glific_gpt.services import services

migrate = current_app.extensions["migrate"]


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Render our column types as plain SQLAlchemy types, so that later changes of them do not change old migrations."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Usd):
        return "sa.BigInteger()"
    return False


def skip_empty(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """Write no revision if there are no changes."""
    if getattr(context.config.cmd_opts, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
        directives.clear()


def include_object(_item: Any, name: str | None, kind: str, _reflected: object, compared: object) -> bool:
    """Exclude the tables of DBOS, which autogenerate would drop."""
    return kind != "table" or compared is not None or name not in schema.TABLES


def is_moving() -> bool:
    """Return True if the command changes the database's revision, as upgrade does, and does not only read it."""
    try:
        context.get_revision_argument()
    except KeyError:
        return False
    return True


def print_sql() -> None:
    """Print the statements for `--sql`. The database is not asked."""
    context.configure(
        dialect_name=migrate.db.engine.dialect.name,
        target_metadata=migrate.db.metadata,
        literal_binds=True,
        **migrate.configure_args,
    )
    with context.begin_transaction():
        context.run_migrations()


def migrate_online() -> None:
    with migrate.db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            # The time-outs of the server's short statements must not stop a long migration.
            connection.execute(sa.text("SET statement_timeout = 0"))
            connection.commit()
            connection.connection.driver_connection.socket_timeout = None
        context.configure(
            connection=connection,
            target_metadata=migrate.db.metadata,
            render_item=render_item,
            process_revision_directives=skip_empty,
            include_object=include_object,
            # One transaction would hold the locks of all tables that it has changed, while it waits for the next one.
            # Calls lock the same tables, in an order of their own.
            transaction_per_migration=connection.dialect.name == "postgresql",
            **migrate.configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()
        revision = int(context.get_context().get_current_revision() or 0)
    # DBOS migrates after our transaction, which holds the lock of a SQLite file. It runs each time, because an earlier
    # run may have failed.
    if is_moving() and revision >= schema.FIRST_REVISION:
        schema.migrate(migrate.db.engine.url)
    # The first upgrade decides which encryption keys the database has. Servers with other keys do not start.
    if is_moving() and revision >= key_check.FIRST_REVISION:
        key_check.store(services().vault)


if context.is_offline_mode():
    print_sql()
else:
    migrate_online()
