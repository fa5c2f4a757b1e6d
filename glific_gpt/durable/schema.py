"""Tables of DBOS in the app's database: in a schema of PostgreSQL, or under their own names in SQLite."""

from sqlalchemy.engine import URL

from glific_gpt.durable.dbos_internals import configure_dbos_logging

FIRST_REVISION = 2
"""The app's migration that first creates the tables of DBOS.

A release of DBOS with new migrations needs a new, empty migration of the app, so that a server notices that the
database is behind.
"""

POSTGRESQL_SCHEMA = "dbos"
"""Schema of the tables on PostgreSQL."""

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
"""Tables of DBOS in a SQLite file. On PostgreSQL they are in POSTGRESQL_SCHEMA."""


def migrate(url: URL) -> None:
    """Create or update the tables of DBOS."""
    from dbos import DBOS

    configure_dbos_logging()
    DBOS.migrate(url.render_as_string(hide_password=False))
