"""Listening: the queues that a process takes work from, at its launch or from when its turn comes."""

import logging
from functools import cache

QUEUE = "answers"
"""For work that was handed in."""
LATER = "later"
"""For what was put off."""
TAKEN_OVER = "taken_over"
"""For work of the dead that was in no queue: begun by a process beside it."""

QUEUES = (QUEUE, LATER, TAKEN_OVER)


def listen_from_launch(*, listens: bool) -> None:
    """To be called before the launch."""
    from dbos import DBOS

    DBOS.listen_queues(QUEUES if listens else [])


def listen_from_now() -> None:
    """In a process that was launched without listening."""
    from dbos._dbos import _get_dbos_instance

    # DBOS has a function for this before its launch alone; its own thread reads the names anew every second.
    _get_dbos_instance()._listening_queues = list(QUEUES)


class _WithoutTraceback(logging.Filter):
    """A traceback can carry what a person wrote."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[0]:
            record.msg, record.args = f"{record.getMessage()} ({record.exc_info[0].__name__})", ()
        record.exc_info = record.exc_text = None
        return True


@cache
def quieten() -> None:
    """To be called before the engine sets up its log; a second time changes nothing."""
    logger = logging.getLogger("dbos")
    logger.addHandler(logging.NullHandler())  # where there is a handler, it adds none of its own
    logger.addFilter(_WithoutTraceback())
    logger.setLevel(logging.WARNING)
