"""Logging: one JSON object per line on standard error, with secrets removed."""

import json
import logging
import re
import sys
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

SECRET = re.compile(
    r"""
    \bsk-[\w*.-]{4,}                # OpenAI keys, also masked ones
    | \bgg[aw]_[\w-]+               # API tokens and webhook tokens
    | \bggs_[\w.-]+                 # set-up tokens
    | \b(?i:bearer)\s+\S+
    | \bv1=[0-9a-fA-F]+             # signatures
    | \bgAAAA[\w-]+=*               # Fernet ciphertexts
    | (?<![\w-])\+?\d{10,15}(?!\w)  # phone numbers
    """,
    re.VERBOSE,
)
REPLACEMENT = "[hidden]"


def redact(text: str) -> str:
    return SECRET.sub(REPLACEMENT, text)


class Unredacted(str):
    """A text that the log shows as it is, although it contains a secret: people need it from there."""

    __slots__ = ()


def _redact_event(_logger: object, _method: str, event: EventDict) -> EventDict:
    return {
        key: redact(value) if isinstance(value, str) and not isinstance(value, Unredacted) else value
        for key, value in event.items()
    }


# JSON escapes characters below U+0020 only. Other controls change terminals, marks of direction change the order in
# which a line is shown, and a line with half a surrogate pair cannot be written.
_INVISIBLE = re.compile(
    "[\x7f-\x9f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)


def _escape_invisible(_logger: object, _method: str, line: Any) -> str:
    if line.isascii() and "\x7f" not in line:  # nearly every line
        return str(line)
    return _INVISIBLE.sub(lambda match: json.dumps(match[0])[1:-1], str(line))


SHARED_PROCESSORS: list[Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
FINAL_PROCESSORS: list[Processor] = [
    structlog.processors.format_exc_info,
    _redact_event,  # after format_exc_info, so that tracebacks are redacted, too
    structlog.processors.JSONRenderer(ensure_ascii=False),
    _escape_invisible,
]


class _SafeOutput:
    """A stream that ignores write errors, so that a closed standard error does not fail a call."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(line)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


PROCESSORS = [*SHARED_PROCESSORS, *FINAL_PROCESSORS]
"""Always the same list object, because cached loggers keep the list that they were created with."""


def report_failed_start(message: str) -> None:
    """Write why a server or worker does not start: a sentence for a terminal, or else a line of the log."""
    if sys.stderr.isatty():
        sys.stderr.write(f"Error: {message}\n")
    else:
        configure()
        structlog.get_logger().error("start_failed", detail=message)


def configure(level: str = "info") -> None:
    """Configure logging for the whole process. Lines below this level are not written.

    Call it before the first line: a logger that has written one keeps its level.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    # Directly to standard error: a line through the standard library's logging takes twice as long.
    # sys.__stderr__, because a command's runner can replace sys.stderr for a while.
    structlog.configure(
        processors=PROCESSORS,
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _SafeOutput(sys.__stderr__ or sys.stderr))),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_library_formatter())
    logging.getLogger().handlers = [handler]
    # Never below INFO: the details of libraries can contain what people write.
    logging.getLogger().setLevel(max(number, logging.INFO))
    # At INFO and below, these libraries log addresses, headers and bodies. SQLAlchemy names the logger of a pool after
    # the module of its class.
    for name in ("openai", "httpx2", "httpcore2", "sqlalchemy", "alembic", "glific_gpt.database.fair_pool"):
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


def _library_formatter() -> structlog.stdlib.ProcessorFormatter:
    """Return a formatter for the log records of libraries, which use the standard library."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*SHARED_PROCESSORS, structlog.stdlib.add_logger_name],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *FINAL_PROCESSORS],
    )
