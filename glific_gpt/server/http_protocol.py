"""The HTTP protocol of one client connection: uvicorn's, with limits on requests, and responses in one write."""

import asyncio
from collections import deque
from enum import Enum, auto
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_TIMEOUT_SECONDS = 60.0
"""How long the head of a request may take to arrive."""
MAX_HEAD_BYTES = 65_536
MAX_BODY_BYTES = 16 * 1024 * 1024
"""Bytes of a body, framing included, for which the app still waits. The app accepts far fewer."""
WEBHOOKS = b"/webhooks/"
WEBHOOK_BODY_TIMEOUT_SECONDS = 5.0
"""How long the body of a webhook may take: Glific gives up after 5 seconds."""
BODY_TIMEOUT_SECONDS = 60.0
"""The same for all other requests: people upload files over slow lines."""
WRITE_TIMEOUT_SECONDS = 60.0
"""How long a response may wait for the client to read it, and a connection to be closed."""
SHUTDOWN_GRACE_SECONDS = 0.5
"""How long a new connection is kept open on shutdown."""
MAX_PIPELINED_REQUESTS = 8
"""Requests that a client may send before the first of them is answered."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
"""The only bytes that uvicorn writes before the response."""


class _Expected(Enum):
    """The part of a request that the client has to send next."""

    HEAD = auto()
    BODY = auto()
    NOTHING = auto()


class _ResponseWriter:
    """A transport that writes head and body of a response together: two writes would wake the client twice."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self._write_timeout: asyncio.TimerHandle | None = None

    def write(self, part: bytes) -> None:
        self._parts.append(part)
        if part == CONTINUE:
            self.flush()

    def flush(self) -> None:
        parts, self._parts = self._parts, []
        if parts and not self._transport.is_closing():
            self._transport.write(b"".join(parts))

    def close(self) -> None:
        self.flush()
        self._transport.close()  # waits until the client has read everything, so it needs a time-out
        self.start_write_timeout()

    def start_write_timeout(self) -> None:
        """Abort the connection if the client does not read its responses."""
        self.cancel_write_timeout()
        self._write_timeout = self._loop.call_later(WRITE_TIMEOUT_SECONDS, self._transport.abort)

    def cancel_write_timeout(self) -> None:
        if self._write_timeout:
            self._write_timeout.cancel()
            self._write_timeout = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol with the limits that uvicorn leaves to a reverse proxy.

    A connection whose request head is too slow or too long is closed. A body that is too slow is cut off, and the app
    gets the part that has arrived. Trailers are ignored, because they could pass for headers.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        self._writer = _ResponseWriter(transport, self.loop)
        # To uvicorn the writer is a transport: it has all methods that uvicorn calls.
        super().connection_made(self._writer)  # type: ignore[arg-type]
        self._read_timeout: asyncio.TimerHandle | None = None
        self._is_shutting_down = False
        self._expect(_Expected.HEAD)

    def data_received(self, data: bytes) -> None:
        cycle = self.cycle  # uvicorn's name for one request and its response
        super().data_received(data)
        expected = self._next_expected()
        if expected is not self._expected:
            self._expect(expected)
        elif self.cycle is cycle:
            self._count(len(data))

    def _next_expected(self) -> _Expected:
        if self.cycle is None or self.cycle.response_complete:
            return _Expected.HEAD
        return _Expected.BODY if self.cycle.more_body else _Expected.NOTHING

    def _expect(self, expected: _Expected) -> None:
        """Start the time-out for the next part of a request. Idle connections have uvicorn's keep-alive time-out."""
        self._cancel_read_timeout()
        self._expected, self._received = expected, 0
        if expected is _Expected.HEAD:
            self._read_timeout = self.loop.call_later(HEAD_TIMEOUT_SECONDS, self.transport.close)
        elif expected is _Expected.BODY:
            is_webhook = self.url.startswith(WEBHOOKS)
            seconds = WEBHOOK_BODY_TIMEOUT_SECONDS if is_webhook else BODY_TIMEOUT_SECONDS
            # As if the body were complete: the webhook can then answer with an error instead of a closed connection.
            self._read_timeout = self.loop.call_later(seconds, self.on_message_complete)

    def _count(self, received: int) -> None:
        """Count bytes after the first packet of a part, also of the next head while a request is being answered."""
        if self._expected is _Expected.HEAD and self.cycle and self.cycle.more_body:
            return  # the rest of a body that was too large: the client may finish sending it
        self._received += received
        limit = MAX_BODY_BYTES if self._expected is _Expected.BODY else MAX_HEAD_BYTES
        if self._received > limit and not self.transport.is_closing():
            self.send_400_response("The request is too long.")

    def on_headers_complete(self) -> None:
        """Raises ValueError, which makes uvicorn refuse the request, if too many requests are pipelined."""
        if len(self.pipeline) >= MAX_PIPELINED_REQUESTS:
            raise ValueError("too many pipelined requests")
        super().on_headers_complete()
        self._received = 0
        self.headers: Any = deque(maxlen=0)  # discards trailers, which httptools reports as headers

    def on_response_complete(self) -> None:
        self._writer.flush()
        super().on_response_complete()

    def shutdown(self) -> None:
        """Keep a new connection open for a moment: its first request may be on its way.

        uvicorn itself would close the connection and leave the request unanswered.
        """
        if self.cycle is None and not self._is_shutting_down:
            self._is_shutting_down = True
            self.loop.call_later(SHUTDOWN_GRACE_SECONDS, self.shutdown)
        else:
            super().shutdown()

    def pause_writing(self) -> None:
        self._writer.start_write_timeout()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._writer.cancel_write_timeout()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._writer.cancel_write_timeout()
        self._cancel_read_timeout()
        super().connection_lost(exc)

    def _cancel_read_timeout(self) -> None:
        if self._read_timeout:
            self._read_timeout.cancel()
            self._read_timeout = None
