"""How DBOS is set up: its connections, its serializer, and its queues."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import URL

from glific_gpt.database.connection_shares import ConnectionShares
from glific_gpt.database.fair_pool import FairPool
from glific_gpt.durable.dbos_internals import DELAYED_QUEUE, FAILOVER_QUEUE, MAIN_QUEUE, configure_dbos_logging
from glific_gpt.durable.workflow import WORKFLOW_VERSION

if TYPE_CHECKING:  # the import takes a third of a second and 25 MB, and most commands do not need DBOS
    from dbos import DBOSClient, DBOSConfig

NAME = "glific_gpt"

POLL_SECONDS = 0.2
"""Polling interval of the main queue. At this value an idle process takes 3 % of a core."""
DELAYED_POLL_SECONDS = 0.5
"""Polling interval of the delayed queue. DBOS itself wakes delayed work once a second."""


def create_client(url: URL, shares: ConnectionShares) -> "DBOSClient":
    """Return a client that enqueues and lists workflows. It connects when it is used."""
    from dbos import DBOSClient, DBOSPortableJSONSerializer

    configure_dbos_logging()
    return DBOSClient(
        system_database_url=_render(url),
        serializer=DBOSPortableJSONSerializer(),
        application_name=NAME,
        retry_connection_errors=False,
        lazy=True,  # a connection must not be shared with forked processes
        system_database_pool_size=shares.queue,
    )


def configure(url: URL, shares: ConnectionShares, executor: str) -> "DBOSConfig":
    """Return the configuration of a process that runs workflows. `executor` is its name."""
    from dbos import DBOSPortableJSONSerializer

    return {
        "name": NAME,
        "system_database_url": _render(url),
        "application_version": WORKFLOW_VERSION,
        "executor_id": executor,
        # The default is pickle. Subjects and results of steps are plain JSON without personal data.
        "serializer": DBOSPortableJSONSerializer(),
        "run_migrations": False,  # `flask db upgrade` runs them: the role of a server need not create tables
        # It only speeds up events and notifications of DBOS, which are not used here.
        "use_listen_notify": False,
        # SQLite's own queue of waiting writers is not fair, and the pool's is.
        "sys_db_pool_size": 1 if url.get_backend_name() == "sqlite" else shares.workflows,
        "db_engine_kwargs": {
            "hide_parameters": True,
            "poolclass": FairPool,
            "pool_events": _pool_events(url),
        },
        "log_level": "WARNING",
    }


def register_queues(client: "DBOSClient", *, max_concurrent: int, max_concurrent_per_partition: int) -> None:
    """Create the queues, or change their limits."""
    for queue, seconds in ((MAIN_QUEUE, POLL_SECONDS), (DELAYED_QUEUE, DELAYED_POLL_SECONDS)):
        client.register_queue(
            queue,
            worker_concurrency=max_concurrent,
            partition_concurrency=min(max_concurrent, max_concurrent_per_partition),
            polling_interval_sec=seconds,
            application_name=NAME,
        )
    client.register_queue(
        FAILOVER_QUEUE, worker_concurrency=max_concurrent, polling_interval_sec=1.0, application_name=NAME
    )


def _pool_events(url: URL) -> "list[tuple[Callable[[Any, object], None], str]]":
    return [] if url.get_backend_name() == "sqlite" else [(_disable_time_limits, "connect")]


def _disable_time_limits(connection: Any, _record: object) -> None:
    """Disable the time limits of the database role. They are meant for calls, and would fail durable work."""
    with connection.cursor() as cursor:
        for limit in ("statement_timeout", "lock_timeout"):
            cursor.execute(f"SET {limit} = 0")
    connection.commit()  # the pool rolls back everything that is not committed


def _render(url: URL) -> str:
    return url.render_as_string(hide_password=False)
