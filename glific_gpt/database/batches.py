"""Changes of many rows in batches, each in a short transaction."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import InstrumentedAttribute

from glific_gpt.database.base import Base
from glific_gpt.database.session import transaction
from glific_gpt.runtime.event_loop import blocking

BATCH_SIZE = 1000
"""Rows that one transaction changes. On SQLite, calls wait for it."""
PAUSE_SECONDS = 0.05
"""Pause between two transactions, in which other processes write."""
TOTAL_SECONDS = 15.0
"""How long the batches go on. The next run of the task continues."""
TIMEOUT_SECONDS = 10.0
"""Time-out of each statement. No call waits for it, and a busy database needs more time for 1,000 rows."""


@blocking
def run_in_batches(change: Callable[[Session], int]) -> None:
    """Call the function in transactions of its own until it changes less than a batch, or until the time is over.

    It changes at most BATCH_SIZE rows, and returns their number.
    """
    until = time.monotonic() + TOTAL_SECONDS
    while True:
        with transaction(TIMEOUT_SECONDS) as session:
            changed = change(session)
        if changed < BATCH_SIZE or time.monotonic() > until:
            return
        time.sleep(PAUSE_SECONDS)


def delete_batch(session: Session, table: type[Base], at: InstrumentedAttribute[datetime], before: datetime) -> int:
    """Delete the oldest rows whose time `at` is before this one, at most BATCH_SIZE, and return their number.

    Rows that another transaction has locked are skipped.
    """
    key = table.__table__.primary_key
    oldest = select(*key).where(at < before).order_by(at).limit(BATCH_SIZE).with_for_update(skip_locked=True)
    # A CTE, because PostgreSQL takes a second for a list of 1,000 keys, and could evaluate a subquery several times.
    deleted = delete(table).where(tuple_(*key).in_(select(oldest.cte("oldest"))))
    return cast("CursorResult[Any]", session.execute(deleted)).rowcount
