"""One report of an organization at a time, because few connections serve the reports of all of them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from glific_gpt.database.failures import ReportTimeout
from glific_gpt.runtime import event_loop

_changed = threading.Condition()
_reporting: set[int] = set()
"""Organizations with a report in progress in this process."""


@contextmanager
def hold_report_lock(organization_id: int, timeout: float) -> Iterator[None]:
    """Wait until no other thread makes a report of the organization. Raises ReportTimeout."""
    event_loop.require_thread("hold_report_lock")
    with _changed:
        if not _changed.wait_for(lambda: organization_id not in _reporting, timeout):
            raise ReportTimeout("Another report of the organization took longer than the time-out.")
        _reporting.add(organization_id)
    try:
        yield
    finally:
        with _changed:
            _reporting.remove(organization_id)
            _changed.notify_all()
