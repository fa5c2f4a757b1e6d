"""Bodies of requests: nothing is read for a caller that the app refuses by the headers alone."""

import asyncio
import io
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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


@dataclass(eq=False)
class _ArrivingBody:
    """The bytes of a client's body that have arrived, and the time-out that gives the body up."""

    client: str
    time_limit: asyncio.Timeout
    size: int = 0
    is_dropped: bool = False


class BodyReader:
    """Reads bodies, and limits the memory of those that are still arriving.

    Beyond the limit, the client with the most bytes loses the body that began first: the bodies of ordinary callers
    arrive within milliseconds. A stranger with many slow bodies therefore ends no slow upload of another client.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._arriving: dict[_ArrivingBody, None] = {}
        """In the order in which they began."""
        self._bytes = 0
        self._bytes_by_client: Counter[str] = Counter()

    async def read(self, scope: dict[str, Any], receive: Receive, limit: int, client: str) -> bytes | None:
        """Return the body, or its beginning if it is longer than `limit`. None if it is incomplete.

        `client` is the network of the client's address.
        """
        body, has_more = bytearray(), True
        try:
            async with asyncio.timeout(None) as time_limit:
                arriving = _ArrivingBody(client, time_limit)
                self._arriving[arriving] = None
                while has_more and len(body) <= limit:
                    message = await receive()
                    if message["type"] == "http.disconnect" or scope.get(IS_INCOMPLETE):
                        return None
                    body += message["body"]
                    has_more = message["more_body"]
                    if arriving.is_dropped:  # more of it arrived before the time-out could end the task
                        return None
                    self._count(arriving, len(message["body"]))
        except TimeoutError:
            return None
        finally:
            self._stop_counting(arriving)
        return bytes(body)

    def _count(self, arriving: _ArrivingBody, received: int) -> None:
        arriving.size += received
        self._bytes += received
        self._bytes_by_client[arriving.client] += received
        while self._bytes > self._max_bytes:
            self._drop_one()

    def _drop_one(self) -> None:
        client, size = self._bytes_by_client.most_common(1)[0]
        oldest = next(each for each in self._arriving if each.client == client and each.size)
        self._stop_counting(oldest)
        oldest.is_dropped = True
        oldest.time_limit.reschedule(0)  # in the past, so that its task gets a TimeoutError
        log.warning(
            "body_dropped",
            reason="too many bodies arrive slowly",
            limit_bytes=self._max_bytes,
            address=client,
            arriving_bytes=size,
        )

    def _stop_counting(self, arriving: _ArrivingBody) -> None:
        """Do nothing if the body was dropped before."""
        if arriving.is_dropped:
            return
        del self._arriving[arriving]
        self._bytes -= arriving.size
        self._bytes_by_client[arriving.client] -= arriving.size
        if not self._bytes_by_client[arriving.client]:
            del self._bytes_by_client[arriving.client]
