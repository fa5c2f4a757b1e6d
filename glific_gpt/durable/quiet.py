"""The engine's log goes where ours goes: by itself it writes to standard error, tracebacks and all."""

import logging
from functools import cache


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
