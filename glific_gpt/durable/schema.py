"""The engine's own tables, which live beside the app's: a schema of PostgreSQL, names of their own in SQLite."""

from sqlalchemy.engine import URL

from glific_gpt.durable.dbos_internals import quieten

FIRST_REVISION = 2
"""The app's migration from which on the engine has its tables. A release of DBOS with migrations of its own needs a
new one of ours, an empty one, so that a server finds out that the database is behind."""

TABLES = frozenset(
    {
        "application_versions",
        "dbos_migrations",
        "notifications",
        "operation_outputs",
        "queues",
        "streams",
        "workflow_events",
        "workflow_events_history",
        "workflow_input",
        "workflow_output",
        "workflow_schedules",
        "workflow_status",
    }
)
"""What is the engine's in a SQLite file; on PostgreSQL it is in the schema dbos."""


def migrate(url: URL) -> None:
    """Makes or changes the engine's tables."""
    from dbos import DBOS

    quieten()
    DBOS.migrate(url.render_as_string(hide_password=False))
