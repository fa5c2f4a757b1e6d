"""The HTTP protocol of one client connection: uvicorn's, with limits on requests, and responses in one write."""

import asyncio
import sys
from collections import deque
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from glific_gpt.server.options import ABORT, DEFAULT_OPTIONS
from glific_gpt.server.request_bodies import HAS_ARRIVED, IS_INCOMPLETE
from glific_gpt.server.request_heads import check_head, describe_first_line
from glific_gpt.server.response_writer import ResponseWriter
from glific_gpt.webhooks import paths

HEAD_TIMEOUT_SECONDS = 60.0
"""How long the head of a request may take to arrive."""
MAX_HEAD_BYTES = 65_536
MAX_HEADERS = 100
"""Headers of a request. Each takes time on the event loop, before the sender is authenticated."""
MAX_BODY_BYTES = 16 * 1024 * 1024
"""Bytes of a body, framing included, for which the app still waits. The app accepts fewer."""
MAX_CHUNKS = 2_000
"""Chunks of a body. A chunk can be one byte long, and the parser calls several functions for each.

Browsers send none. The largest upload, of 12 MiB, has 1,536 chunks of 8 KiB, and HTTP clients send larger ones.
"""
WEBHOOK_BODY_TIMEOUT_SECONDS = 5.0
"""How long the body of a webhook may take: Glific gives up after 5 seconds."""
BODY_TIMEOUT_SECONDS = 60.0
"""The same for all other requests: people upload files over slow lines."""
SHUTDOWN_GRACE_SECONDS = 0.5
"""How long a connection without a request is kept open on shutdown."""
MAX_PIPELINED_REQUESTS = 8
"""Requests that a client may send before the first of them is answered."""

REFUSED_LINGER_SECONDS = 1.0
"""How long a connection beyond the limits stays open after its response."""
TOO_MANY_CONNECTIONS = "The server has too many connections. Try again in a moment."


class _Expected(Enum):
    """The part of a request that the client has to send next."""

    HEAD = auto()
    BODY = auto()
    NOTHING = auto()


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol with the limits that uvicorn leaves to a reverse proxy.

    A connection is closed if a request head is too slow or too long. If a body is too slow, or the client closes the
    connection before its end, the app is told so. Trailers are ignored, because they could pass for headers.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        self._writer = ResponseWriter(transport, self.loop)
        # To uvicorn the writer is a transport: it has all methods that uvicorn calls.
        super().connection_made(self._writer)  # type: ignore[arg-type]
        self._read_timeout: asyncio.TimerHandle | None = None
        self._is_shutting_down = False
        self._has_unread_response = False
        self._options = getattr(self.app, "options", DEFAULT_OPTIONS)
        self._address = self.client[0] if self.client else ""
        self._is_counted = self._options.connections.add(self._address)
        if self._is_counted:
            self._expect(_Expected.HEAD)
        else:
            self._refuse(503, TOO_MANY_CONNECTIONS, ("Retry-After", "1"), lingers=self._options.connections.may_linger)

    def data_received(self, data: bytes) -> None:
        if not self._is_counted:
            return  # the connection was refused
        cycle = self.cycle  # uvicorn's name for one request and its response
        self._packet = data
        super().data_received(data)
        self._packet = b""
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
            # The rest of a body that the app has not read comes first.
            seconds = self._body_timeout() if self.cycle and self.cycle.more_body else HEAD_TIMEOUT_SECONDS
            self._read_timeout = self.loop.call_later(seconds, self.transport.close)
        elif expected is _Expected.BODY:
            self._read_timeout = self.loop.call_later(self._body_timeout(), self._end_body)

    def _body_timeout(self) -> float:
        is_webhook = paths.is_webhook(self.cycle.scope["path"])
        return WEBHOOK_BODY_TIMEOUT_SECONDS if is_webhook else BODY_TIMEOUT_SECONDS

    def _end_body(self) -> None:
        """Stop waiting for the rest of the body. The app answers with an error."""
        if self.cycle.response_complete:
            self.transport.close()
        else:
            self._mark(IS_INCOMPLETE)
            super().on_message_complete()

    def _mark(self, key: str) -> None:
        self._own_scope()[key] = True

    def _own_scope(self) -> dict[str, Any]:
        """Return the scope of the request. ASGI allows keys of the server's own in it."""
        scope: dict[str, Any] = self.cycle.scope  # type: ignore[assignment] # uvicorn's type has no other keys
        return scope

    def eof_received(self) -> bool | None:  # type: ignore[override] # uvicorn lets the connection be closed
        """Return True to keep the connection open for the response to an incomplete body."""
        if self._next_expected() is not _Expected.BODY:
            return None
        self.cycle.keep_alive = False
        self._end_body()
        return True

    def _count(self, received: int) -> None:
        """Count bytes after the first packet of a part, also of the next head while a request is being answered."""
        self._received += received
        # After the response to a body that was too large, the client may finish sending it.
        is_rest = self._expected is _Expected.HEAD and self.cycle and self.cycle.more_body
        limit = MAX_BODY_BYTES if is_rest or self._expected is _Expected.BODY else MAX_HEAD_BYTES
        if self._received <= limit or self.transport.is_closing():
            return
        if is_rest:
            self.transport.close()
        else:
            self._refuse(413 if self._expected is _Expected.BODY else 431, "The request is too long.")

    def _refuse(self, status: int, message: str, *headers: tuple[str, str], lingers: bool = False) -> None:
        """Respond without the app, and close the connection."""
        fields = [*self._options.headers, *headers]
        fields += [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(message)))]
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in fields)]
        self.transport.write("\r\n".join([*lines, "Connection: close", "", message]).encode())
        if lingers:
            # If it were closed now, the arriving request would reset it, perhaps before the client has read this.
            self._writer.flush()
            self.loop.call_later(REFUSED_LINGER_SECONDS, self.transport.close)
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that cannot be parsed. uvicorn calls this while it handles the parser's error."""
        self._refuse(400, describe_first_line(sys.exception(), self.url, self._packet) or msg)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Raises ValueError, which makes uvicorn refuse the request, if there are too many headers."""
        if len(self.headers) >= MAX_HEADERS:
            raise ValueError("too many headers")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Raises ValueError, which makes uvicorn refuse the request: it is ambiguous, or one of too many."""
        if len(self.pipeline) >= MAX_PIPELINED_REQUESTS:
            raise ValueError("too many pipelined requests")
        is_upgrade = self.parser.should_upgrade()
        check_head(self.parser.get_http_version(), self.url, self.headers, is_upgrade=is_upgrade)
        super().on_headers_complete()
        if self._is_shutting_down:
            self.cycle.keep_alive = False
        self._own_scope()[ABORT] = self._writer.abort
        self._received = self._chunks = 0
        self.headers: Any = deque(maxlen=0)  # discards trailers, which httptools reports as headers

    def on_chunk_header(self) -> None:
        """Raises ValueError, which makes uvicorn refuse the request, if the body has too many chunks."""
        self._chunks += 1
        if self._chunks > MAX_CHUNKS:
            raise ValueError("too many chunks")

    def on_message_complete(self) -> None:
        self._mark(HAS_ARRIVED)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._writer.flush()
        if self.cycle.response_complete:
            self.cycle.body = bytearray()  # what the app has not read would be kept until the next request
        if self.pipeline and self.flow.write_paused:
            self._has_unread_response = True  # a second response would only take more memory
        else:
            super().on_response_complete()

    def shutdown(self) -> None:
        """Keep a connection without a request open for a moment: one may be on its way.

        uvicorn itself would close the connection and leave the request unanswered. Clients that often use a connection
        again, such as a proxy, learn from the next response that it closes.
        """
        is_idle = self.cycle is None or self.cycle.response_complete
        if is_idle and not self._is_shutting_down:
            self._is_shutting_down = True
            self.loop.call_later(SHUTDOWN_GRACE_SECONDS, self.shutdown)
        else:
            super().shutdown()

    def pause_writing(self) -> None:
        self._writer.start_write_timeout()
        super().pause_writing()
        unsent = self._writer.get_write_buffer_size()
        self._options.unsent_bytes.add(self, self._address, unsent, self._writer.abort)

    def resume_writing(self) -> None:
        self._writer.cancel_write_timeout()
        self._options.unsent_bytes.remove(self)
        super().resume_writing()
        if self._has_unread_response:
            self._has_unread_response = False
            super().on_response_complete()  # begins the next pipelined request

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_counted:
            self._options.connections.remove(self._address)
        else:
            self._options.connections.remove_refused()
        self._options.unsent_bytes.remove(self)
        self._cancel_read_timeout()
        super().connection_lost(exc)
        self._writer.cancel_write_timeout()  # uvicorn has closed the lost transport, which starts the time-out

    def _cancel_read_timeout(self) -> None:
        if self._read_timeout:
            self._read_timeout.cancel()
            self._read_timeout = None
