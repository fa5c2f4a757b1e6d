"""Housekeeping: what must be done by the clock, whether calls come or not."""

from datetime import timedelta

import structlog
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.calls import records, replays
from glific_gpt.calls.deferred import delivery_records
from glific_gpt.calls.tables import Delivery
from glific_gpt.clock import now
from glific_gpt.database import transaction

STUCK_AFTER = timedelta(minutes=20)
"""Longer than an answer may take from its acceptance to its flow, unless there are too few workers, or none."""

log = structlog.get_logger()


def run_housekeeping(app: Flask) -> None:
    """Deletes what is kept for a time only, marks calls whose process was killed, and tells of those that hang."""
    with app.app_context(), transaction() as session:
        replays.purge(session)
        delivery_records.purge(session)
        trail.purge(session)
        records.mark_interrupted(session)
        _tell_of_hanging(session)


def _tell_of_hanging(session: Session) -> None:
    hanging = (Delivery.state == "waiting", Delivery.accepted_at < now() - STUCK_AFTER)
    count = session.scalar(select(func.count()).where(*hanging))
    if count:
        log.error("answers_hang", count=count, longer_than_minutes=STUCK_AFTER.seconds // 60)
