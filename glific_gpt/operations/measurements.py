"""Measure what no process counts, when somebody asks for the metrics: the database, waiting work, and disks."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from pathlib import Path
from threading import Lock

from flask import Flask, current_app
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import and_, case, func, or_, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from glific_gpt.calls.deferred.backlog import find_backlog
from glific_gpt.calls.tables import Delivery
from glific_gpt.clock import now
from glific_gpt.database import db, failures, reading
from glific_gpt.operations.readiness import current_readiness
from glific_gpt.runtime.event_loop import blocking
from glific_gpt.services import services

STATEMENT_SECONDS = 1.0
"""Time-out of each statement."""
DATABASE_SECONDS = 3.0
"""How long the page waits for all of them. Prometheus waits for the page for 10 seconds."""

EXTENSION = "glific_gpt_database_monitor"


class DatabaseMonitor:
    """Measures in a thread, so that a page waits only as long as it may. Pages at the same time share the result."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._thread = ThreadPoolExecutor(1, "database-monitor")
        self._lock = Lock()
        self._running: Future[list[Metric]] | None = None

    @blocking
    def find(self) -> list[Metric]:
        """Return what the database tells. Without an answer, only that it cannot be used."""
        with self._lock:
            if self._running is None or self._running.done():
                self._running = self._thread.submit(self._measure)
            running = self._running
        try:
            return running.result(DATABASE_SECONDS)
        except FutureTimeout:
            return _describe_database(is_ready=False, is_up=False)

    def _measure(self) -> list[Metric]:
        with self._app.app_context():
            is_ready = current_readiness().is_ready()
            found = _read(_measure_nothing)
            if found is None:
                return _describe_database(is_ready=is_ready, is_up=False)
            for part in (_measure_waiting, _measure_workers, _measure_connections):
                found += _read(part) or []
            return _describe_database(is_ready=is_ready, is_up=True) + found


def current_database_monitor() -> DatabaseMonitor:
    """Return the monitor of the current app."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    monitor: DatabaseMonitor = app.extensions.setdefault(EXTENSION, DatabaseMonitor(app))
    return monitor


def _read(part: Callable[[Session], Iterator[Metric]]) -> list[Metric] | None:
    """Return None after a failure. Each part has a transaction: one that takes too long must not hide the others."""
    try:
        with reading(timeout=STATEMENT_SECONDS) as session:
            return list(part(session))
    except SQLAlchemyError as failure:
        failures.log_failure(failure)
        return None


def _describe_database(*, is_ready: bool, is_up: bool) -> list[Metric]:
    return [
        _gauge("ready", "1 if this process can answer calls, as GET /readyz.", is_ready),
        _gauge("database_up", "1 if the database answers.", is_up),
    ]


def measure_disks() -> Iterator[Metric]:
    """Return the space on the disks of this machine that the server writes to."""
    free = GaugeMetricFamily("glific_gpt_disk_free_bytes", "Free bytes on the disk of a folder.", labels=["folder"])
    size = GaugeMetricFamily("glific_gpt_disk_size_bytes", "Size of the disk of a folder.", labels=["folder"])
    folders = {"temporary": Path(tempfile.gettempdir())}
    if db.engine.dialect.name == "sqlite":
        folders["database"] = Path(str(db.engine.url.database)).parent
    for name, path in folders.items():
        with suppress(OSError):
            usage = shutil.disk_usage(path)
            free.add_metric([name], usage.free)
            size.add_metric([name], usage.total)
    yield from (free, size)


def _measure_nothing(session: Session) -> Iterator[Metric]:
    session.execute(text("SELECT 1"))
    yield from ()


def _measure_waiting(session: Session) -> Iterator[Metric]:
    # An administrator who retries a delivery starts a new one. The time of an answer is no retry.
    was_retried = and_(
        Delivery.delivering_since.is_not(None),
        or_(Delivery.answered_at.is_(None), Delivery.delivering_since != Delivery.answered_at),
    )
    since = case((was_retried, Delivery.delivering_since), else_=Delivery.accepted_at)
    count, oldest = session.execute(select(func.count(), func.min(since)).where(Delivery.state == "waiting")).one()
    age = max(0.0, (now() - oldest).total_seconds()) if oldest else 0.0
    backlog = find_backlog(session)
    yield _gauge("deferred_waiting", "Deferred calls whose answer is not delivered yet.", count)
    yield _gauge("deferred_oldest_seconds", "Age of the oldest of these calls.", age)
    yield _gauge("deferred_unasked", "Those of these calls that no worker has begun.", backlog.count)
    yield _gauge(
        "deferred_unasked_oldest_seconds", "Age of the oldest call that no worker has begun.", backlog.oldest_seconds
    )


def _measure_workers(session: Session) -> Iterator[Metric]:
    count = services().engine.count_consumers(session)
    yield _gauge("workers_live", "Processes that work on deferred calls and e-mails.", count)


_CONNECTIONS = text("""
    SELECT scope, used, most FROM (
        SELECT 'server' AS scope,
            (SELECT sum(numbackends) FROM pg_stat_database) AS used,
            current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS most
        UNION ALL
        SELECT 'database', (SELECT numbackends FROM pg_stat_database WHERE datid = d.oid), datconnlimit
            FROM pg_database d WHERE datname = current_database()
        UNION ALL
        SELECT 'role', (SELECT count(*) FROM pg_stat_activity WHERE usename = current_user), rolconnlimit
            FROM pg_roles WHERE rolname = current_user
    ) AS limits
    WHERE most >= 0
""")
"""A limit of -1 is none."""


def _measure_connections(session: Session) -> Iterator[Metric]:
    if session.get_bind().dialect.name == "sqlite":
        return
    used = GaugeMetricFamily(
        "glific_gpt_database_connections", "Connections to PostgreSQL that a limit counts.", labels=["scope"]
    )
    most = GaugeMetricFamily("glific_gpt_database_connections_limit", "These limits.", labels=["scope"])
    for scope, connections, limit in session.execute(_CONNECTIONS):
        used.add_metric([scope], float(connections))
        most.add_metric([scope], float(limit))
    yield from (used, most)


def _gauge(name: str, description: str, value: float) -> Metric:
    return GaugeMetricFamily(f"glific_gpt_{name}", description, value=float(value))
