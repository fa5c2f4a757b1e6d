"""Bodies of requests: nothing is read for a caller that the app refuses by the headers alone."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from flask import has_request_context, request
from werkzeug.exceptions import ClientDisconnected

from glific_gpt.settings import MAX_FORM_BYTES

log = structlog.get_logger()

HAS_ARRIVED = "glific_gpt.body_has_arrived"
"""Key of the ASGI scope: the protocol sets it when the whole body has arrived."""
IS_INCOMPLETE = "glific_gpt.body_is_incomplete"
"""Key of the ASGI scope: the protocol sets it when it no longer waits for the rest of the body."""

Receive = Callable[[], Awaitable[Any]]


class BodyNeeded(BaseException):
    """The app reads a body that has not arrived yet.

    It is no Exception, so that no error handler of the app answers it.
    """

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit
        """Bytes that the route accepts."""


class UnreadBody(io.RawIOBase):
    """Stands for a body that has not arrived yet. Reading it raises BodyNeeded."""

    def readable(self) -> bool:
        return True

    def readinto(self, _buffer: object) -> int:
        # Each route sets its own limit before it reads, for the reads after this one.
        limit = request.max_content_length if has_request_context() else None
        raise BodyNeeded(MAX_FORM_BYTES if limit is None else limit)


class IncompleteBody(io.RawIOBase):
    """Stands for a body that did not arrive completely. Reading it raises ClientDisconnected."""

    def readable(self) -> bool:
        return True

    def readinto(self, _buffer: object) -> int:
        raise ClientDisconnected


class BodyReader:
    """Reads bodies, and limits the memory of those that are still arriving.

    Beyond the limit, the body that began first is given up: the bodies of ordinary callers arrive within milliseconds.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._arriving: dict[asyncio.Timeout, int] = {}
        self._dropped: set[asyncio.Timeout] = set()
        """Bodies that were given up, and whose tasks have not ended yet."""
        self._bytes = 0

    async def read(self, scope: dict[str, Any], receive: Receive, limit: int) -> bytes | None:
        """Return the body, or its beginning if it is longer than `limit`. None if it is incomplete."""
        body, has_more = bytearray(), True
        try:
            async with asyncio.timeout(None) as time_limit:
                while has_more and len(body) <= limit:
                    message = await receive()
                    if message["type"] == "http.disconnect" or scope.get(IS_INCOMPLETE):
                        return None
                    body += message["body"]
                    has_more = message["more_body"]
                    if time_limit in self._dropped:  # more of it arrived before the time-out could end the task
                        return None
                    self._count(time_limit, len(message["body"]))
        except TimeoutError:
            return None
        finally:
            self._bytes -= self._arriving.pop(time_limit, 0)
            self._dropped.discard(time_limit)
        return bytes(body)

    def _count(self, time_limit: asyncio.Timeout, received: int) -> None:
        self._arriving[time_limit] = self._arriving.get(time_limit, 0) + received
        self._bytes += received
        while self._bytes > self._max_bytes:
            oldest = next(iter(self._arriving))
            self._bytes -= self._arriving.pop(oldest)
            self._dropped.add(oldest)
            oldest.reschedule(0)  # in the past, so that its task gets a TimeoutError
            log.warning("body_dropped", reason="too many bodies arrive slowly", limit_bytes=self._max_bytes)
