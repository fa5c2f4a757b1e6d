"""Queues and logging of DBOS, including the one private name of DBOS that is used."""

import logging
from functools import cache

MAIN_QUEUE = "answers"
"""New work."""
DELAYED_QUEUE = "later"
"""Rescheduled work. It has its own queue because delayed work does not count against the limits of the main queue."""
FAILOVER_QUEUE = "taken_over"
"""Work of dead processes that was not in a queue. Only processes of the release before this one start such work."""

HOLDER = "holder"
"""Attribute of held work: the process that will release it."""

QUEUES = (MAIN_QUEUE, DELAYED_QUEUE, FAILOVER_QUEUE)


def set_queues_before_launch(*, consumes: bool) -> None:
    """Set the queues that this process consumes from its launch on. Call it before `DBOS.launch()`."""
    from dbos import DBOS

    DBOS.listen_queues(QUEUES if consumes else [])


def start_consuming() -> None:
    """Consume the queues from now on, in a process that was launched without consuming them."""
    from dbos._dbos import _get_dbos_instance

    # DBOS has a public function for this only before its launch. Its own thread reads the names every second.
    _get_dbos_instance()._listening_queues = list(QUEUES)


class _TracebackFilter(logging.Filter):
    """Remove tracebacks from log records, because they can contain a contact's text."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[0]:
            record.msg, record.args = f"{record.getMessage()} ({record.exc_info[0].__name__})", ()
        record.exc_info = record.exc_text = None
        return True


@cache
def configure_dbos_logging() -> None:
    """Log warnings of DBOS without tracebacks. Call it before DBOS sets up its log; further calls do nothing."""
    logger = logging.getLogger("dbos")
    logger.addHandler(logging.NullHandler())  # DBOS adds its own handler only if there is none
    logger.addFilter(_TracebackFilter())
    logger.setLevel(logging.WARNING)
