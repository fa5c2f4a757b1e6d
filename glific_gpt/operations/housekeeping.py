"""Housekeeping: periodic tasks that do not depend on calls."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from itertools import islice

import structlog
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from glific_gpt.accounts import ended_sessions
from glific_gpt.alerts import checking
from glific_gpt.audit import trail
from glific_gpt.calls import budget, pruning, records, replays
from glific_gpt.calls.deferred import delivery_records
from glific_gpt.calls.deferred.backlog import find_backlog
from glific_gpt.calls.tables import Delivery
from glific_gpt.clock import now
from glific_gpt.database import run_in_batches, transaction
from glific_gpt.emails.recovery import log_stuck_emails
from glific_gpt.services import services

STUCK_AFTER = timedelta(minutes=20)
"""Longer than a deferred answer takes to reach its flow, unless there are no workers or too few."""

MAX_BATCHES = 50
"""Batches of old calls that are deleted in one run. The next run continues."""

log = structlog.get_logger()


Tasks = Mapping[str, Callable[[], object]]
"""Functions by their names, in the order in which they run."""


def run_tasks(app: Flask, tasks: Tasks) -> bool:
    """Call each function in a context of the app, and return whether all succeeded.

    A failure is logged, and does not stop the other tasks.
    """
    failed = False
    for name, task in tasks.items():
        try:
            with app.app_context():
                task()
        except Exception as failure:  # noqa: BLE001 - the others must run, and this one is tried again after a minute
            log.warning("housekeeping_failed", task=name, reason=type(failure).__name__)
            failed = True
    return not failed


def run_housekeeping(app: Flask) -> bool:
    """Mark interrupted calls, give back their money, log stuck work, and delete expired rows.

    Returns whether all of these tasks succeeded.
    """
    # Each in transactions of its own. `give_back` locks months before calls, like a call that ends.
    once = (
        *(records.mark_interrupted, budget.give_back, _log_stuck_deliveries, _log_missing_workers, log_stuck_emails),
        ended_sessions.delete_expired,
    )
    in_batches = (replays.purge, delivery_records.purge, trail.delete_expired_entries)
    # Deletions run last, because they can take many seconds.
    return run_tasks(
        app,
        {_task_name(each): partial(_run_once, each) for each in once}
        | {_task_name(each): partial(run_in_batches, each) for each in in_batches},
    )


def _task_name(function: Callable[[Session], object]) -> str:
    module = function.__module__.rpartition(".")[2]
    return f"{module}.{function.__name__.strip('_')}"


def _run_once(task: Callable[[Session], object]) -> None:
    with transaction() as session:
        task(session)


def write_token_uses(app: Flask) -> None:
    """Write on which day the tokens of this process's requests were last used."""
    with app.app_context():
        services().token_uses.write()


def check_alerts(app: Flask) -> None:
    """Find alerts and tell people about them."""
    with app.app_context():
        url = services().settings.alert_webhook_url
        checking.check(services().model_provider.name, url.get_secret_value() if url else None)


def prune_calls(app: Flask) -> None:
    """Delete calls that are older than the setting, at most MAX_BATCHES batches."""
    with app.app_context():
        days = services().settings.keep_calls_days
        deleted = sum(islice(pruning.prune(pruning.first_kept_moment(days)), MAX_BATCHES)) if days else 0
    if deleted:
        log.info("calls_pruned", count=deleted, kept_days=days)


def _log_stuck_deliveries(session: Session) -> None:
    stuck = (Delivery.state == "waiting", Delivery.accepted_at < now() - STUCK_AFTER)
    count = session.scalar(select(func.count()).where(*stuck))
    if count:
        log.error("deliveries_stuck", count=count, longer_than_minutes=STUCK_AFTER.seconds // 60)


def _log_missing_workers(session: Session) -> None:
    backlog = find_backlog(session)
    if backlog.is_unattended:
        log.error("workers_missing", waiting=backlog.count, deferred_oldest_seconds=backlog.oldest_seconds)
