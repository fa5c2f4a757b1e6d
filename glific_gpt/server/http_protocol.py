"""One connection from a client: uvicorn's, with limits on how a request may come, and answers sent in one piece."""

import asyncio
from collections import deque
from enum import Enum, auto
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 60.0
"""How long the head of a request may take to arrive."""
HEAD_BYTES = 65_536
"""How long it may be."""
BODY_BYTES = 16 * 1024 * 1024
"""How much may come of a body, its framing included, that the app still waits for: it wants much less."""
WEBHOOKS = b"/webhooks/"
WEBHOOK_SECONDS = 5.0
"""How long the body of a webhook may take: Glific gives up after that, and others are strangers."""
BODY_SECONDS = 60.0
"""The same for everybody else: people send files over slow lines."""
UNREAD_SECONDS = 60.0
"""How long an answer may wait to be taken, or a connection to be closed."""
LAST_SECONDS = 0.5
"""How long a new connection is kept when the server ends."""
PIPELINED = 8
"""Requests that may be sent before the first of them is answered."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
"""What uvicorn writes before there is an answer."""


class _Awaited(Enum):
    """What is to come from the client."""

    HEAD = auto()
    BODY = auto()
    NOTHING = auto()


class _Answers:
    """Sends the head and the body of an answer together: as two, the client is woken twice."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self._unread: asyncio.TimerHandle | None = None

    def write(self, part: bytes) -> None:
        self._parts.append(part)
        if part == CONTINUE:
            self.send()

    def send(self) -> None:
        parts, self._parts = self._parts, []
        if parts and not self._transport.is_closing():
            self._transport.write(b"".join(parts))

    def close(self) -> None:
        self.send()
        self._transport.close()
        self.are_to_be_read()

    def are_to_be_read(self) -> None:
        """A connection is not kept for a client that does not take its answers."""
        self.are_read()
        self._unread = self._loop.call_later(UNREAD_SECONDS, self._transport.abort)

    def are_read(self) -> None:
        if self._unread:
            self._unread.cancel()
            self._unread = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class HttpProtocol(HttpToolsProtocol):
    """A connection whose request's head comes too slowly, or is too long, is ended. A body that comes too slowly ends
    where it is, for the app to judge. What comes after a body, as trailers, is ignored: they could pass for headers."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        self._answers = _Answers(transport, self.loop)
        super().connection_made(self._answers)  # type: ignore[arg-type] # it is one for all that uvicorn does with it
        self._late: asyncio.TimerHandle | None = None
        self._is_ending = False
        self._wait_for(_Awaited.HEAD)

    def data_received(self, data: bytes) -> None:
        cycle = self.cycle
        super().data_received(data)
        awaited = self._what_is_awaited()
        if awaited is not self._awaited:
            self._wait_for(awaited)
        elif self.cycle is cycle:
            self._count(len(data))

    def _what_is_awaited(self) -> _Awaited:
        if self.cycle is None or self.cycle.response_complete:
            return _Awaited.HEAD
        return _Awaited.BODY if self.cycle.more_body else _Awaited.NOTHING

    def _wait_for(self, awaited: _Awaited) -> None:
        """Not between requests: those who keep a connection open may be slow to use it, for as long as uvicorn says."""
        self._forget()
        self._awaited, self._received = awaited, 0
        if awaited is _Awaited.HEAD:
            self._late = self.loop.call_later(HEAD_SECONDS, self.transport.close)
        elif awaited is _Awaited.BODY:
            seconds = WEBHOOK_SECONDS if self.url.startswith(WEBHOOKS) else BODY_SECONDS
            self._late = self.loop.call_later(seconds, self.on_message_complete)

    def _count(self, received: int) -> None:
        """What comes beyond the first part, of the next head also while a request is being answered."""
        if self._awaited is _Awaited.HEAD and self.cycle and self.cycle.more_body:
            return  # it is the rest of a body that was too large, which its sender may finish
        self._received += received
        most = BODY_BYTES if self._awaited is _Awaited.BODY else HEAD_BYTES
        if self._received > most and not self.transport.is_closing():
            self.send_400_response("The request is too long.")

    def on_headers_complete(self) -> None:
        """Raises ValueError, which refuses the request, when too many wait on this connection."""
        if len(self.pipeline) >= PIPELINED:
            raise ValueError("these are too many at once")
        super().on_headers_complete()
        self._received = 0
        self.headers: Any = deque(maxlen=0)  # where trailers go

    def on_response_complete(self) -> None:
        self._answers.send()
        super().on_response_complete()

    def shutdown(self) -> None:
        """Of a new connection the first request may be on its way: uvicorn itself would end it unanswered."""
        if self.cycle is None and not self._is_ending:
            self._is_ending = True
            self.loop.call_later(LAST_SECONDS, self.shutdown)
        else:
            super().shutdown()

    def pause_writing(self) -> None:
        self._answers.are_to_be_read()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._answers.are_read()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._answers.are_read()
        self._forget()
        super().connection_lost(exc)

    def _forget(self) -> None:
        if self._late:
            self._late.cancel()
            self._late = None
