"""Logs: one JSON object a line on standard error, with everything that looks like a secret taken out."""

import logging
import re
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

SECRET = re.compile(
    r"""
    \bsk-[\w*.-]{4,}                # keys of OpenAI, also half hidden
    | \bgg[aw]_[\w-]+               # our tokens
    | \b(?i:bearer)\s+\S+
    | \bv1=[0-9a-fA-F]+             # signatures
    | \bgAAAA[\w-]+=*               # ciphertexts
    | (?<![\w-])\+?\d{10,15}(?!\w)  # phone numbers
    """,
    re.VERBOSE,
)
HIDDEN = "[hidden]"


def redact(text: str) -> str:
    return SECRET.sub(HIDDEN, text)


def _redact_event(_logger: object, _method: str, event: EventDict) -> EventDict:
    return {key: redact(value) if isinstance(value, str) else value for key, value in event.items()}


SHARED: list[Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
LAST: list[Processor] = [
    structlog.processors.format_exc_info,
    _redact_event,
    structlog.processors.JSONRenderer(ensure_ascii=False),
]


class _Output:
    """Where lines go; one that cannot be written is no reason for a call to fail."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(line)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


OURS = [*SHARED, *LAST]
"""The same list each time: loggers keep the one that they were made with."""


def configure() -> None:
    """For the whole process; a second time changes nothing."""
    # Straight to standard error: through the standard library's logging a line takes twice as long.
    structlog.configure(
        processors=OURS,
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Output(sys.__stderr__ or sys.stderr))),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter_of_others())
    logging.getLogger().handlers = [handler]
    logging.getLogger().setLevel(logging.INFO)
    # At INFO and below these write addresses, headers and bodies.
    for name in ("openai", "httpx2", "httpcore2", "sqlalchemy", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _formatter_of_others() -> structlog.stdlib.ProcessorFormatter:
    """For libraries, which know nothing of structlog."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*SHARED, structlog.stdlib.add_logger_name],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *LAST],
    )
