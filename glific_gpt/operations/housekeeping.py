"""Housekeeping: periodic tasks that do not depend on calls."""

from datetime import timedelta
from itertools import islice

import structlog
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.calls import budget, pruning, records, replays
from glific_gpt.calls.deferred import delivery_records
from glific_gpt.calls.deferred.backlog import find_backlog
from glific_gpt.calls.tables import Delivery
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.emails.recovery import log_stuck_emails
from glific_gpt.services import services

STUCK_AFTER = timedelta(minutes=20)
"""Longer than a deferred answer takes to reach its flow, unless there are no workers or too few."""

MAX_BATCHES = 50
"""Batches of old calls that are deleted in one run. The next run continues."""

log = structlog.get_logger()


def run_housekeeping(app: Flask) -> None:
    """Delete expired rows, mark interrupted calls, give back their money, and log stuck deliveries and e-mails."""
    with app.app_context(), transaction() as session:
        replays.purge(session)
        delivery_records.purge(session)
        trail.delete_expired_entries(session)
        records.mark_interrupted(session)
        _log_stuck_deliveries(session)
        _log_missing_workers(session)
        log_stuck_emails(session)
    # In a transaction of its own: it locks months before calls, like a call that ends.
    with app.app_context(), transaction() as session:
        budget.give_back(session)


def write_token_uses(app: Flask) -> None:
    """Write on which day the tokens of this process's requests were last used."""
    with app.app_context():
        services().token_uses.write()


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
