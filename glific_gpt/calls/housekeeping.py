"""Housekeeping: what must be done by the clock, whether calls come or not."""

import time

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from glific_gpt.calls import records, replays
from glific_gpt.database import transaction

EVERY_SECONDS = 60

log = structlog.get_logger()


def keep_house(app: Flask) -> None:
    """Tidies up once a minute, for ever; for a thread of its own in each server process."""
    while True:
        try:
            tidy(app)
        except SQLAlchemyError as error:
            log.warning("not_tidied", reason=type(error).__name__)
        time.sleep(EVERY_SECONDS)


def tidy(app: Flask) -> None:
    """Deletes stored answers that have expired, and marks calls whose process was killed."""
    with app.app_context(), transaction() as session:
        replays.purge(session)
        records.mark_interrupted(session)
