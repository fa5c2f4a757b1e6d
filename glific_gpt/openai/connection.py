"""One HTTP/1.1 connection, with at most one request in flight."""

import asyncio
import socket
from contextlib import suppress
from typing import Any

import httpx2

from glific_gpt.openai import large_reply_slots
from glific_gpt.openai.http_response import HttpResponse

UNACKNOWLEDGED_MS = 1000
"""The kernel closes a reused connection if its other end does not acknowledge a request for that long (tcp(7)).

A firewall can drop a connection without closing it. A call would otherwise wait for it until its deadline.
"""
ACKNOWLEDGED_AFTER_SECONDS = 2.5
"""When the request is acknowledged or the connection is closed, retransmissions included. From then on the limit would
apply to single probes, one of which can be lost."""
PROBE_AFTER_SECONDS = 10
PROBE_INTERVAL_SECONDS = 5
PROBES = 3
"""Probes of idle connections, which find dead ones before a call takes them."""
READS_WITHOUT_PAUSE = 20
READ_PAUSE_SECONDS = 0.05
"""Pause after each further read of a reply. Single bytes that arrive meanwhile are one read instead of thousands."""
LARGE_BODY_BYTES = 256 * 1024
"""A longer body is sent in pieces of this size, on a connection of its own. The event loop copies one at a time."""


class Connection(asyncio.Protocol):
    """A connection. A pool keeps it for the next call."""

    def __init__(self) -> None:
        self.is_open = True
        self.idle_since = 0.0
        self.owner = b""
        """Hash of the key whose requests this connection sends."""
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._response: HttpResponse | None = None
        self._reads = 0
        """Reads of the response until now."""
        self._slot = large_reply_slots.CallSlot()
        self._waits_for_slot = self._has_slot = False
        self._timeout_seconds = 0.0
        self._slot_task: asyncio.Task[None] | None = None
        """Kept, because the event loop keeps no reference to it."""
        self._acknowledged_at = 0.0
        """When the last request is acknowledged, in the time of the event loop."""
        self._has_time_limit = False
        self._completed: asyncio.Future[HttpResponse] | None = None
        self._drained: asyncio.Future[None] | None = None
        """Ends the wait for a transport that holds enough unsent bytes."""

    async def send(
        self, request: bytes, timeout_seconds: float, *, reused: bool = False, large_body: bytes = b""
    ) -> HttpResponse:
        """Send a request and return the complete response. Raises the same errors as ConnectionPool.request.

        `large_body` follows the request in pieces.
        """
        if reused:
            self._require_acknowledgement()
        response = HttpResponse()
        self._response, self._reads = response, 0
        call_slot = large_reply_slots.slot_of_call()
        self._slot = call_slot or large_reply_slots.CallSlot()
        self._waits_for_slot = self._has_slot = False
        self._timeout_seconds, self._slot_task = timeout_seconds, None
        self._completed = self._loop.create_future()
        timer = self._loop.call_later(timeout_seconds, self._time_out)  # a tenth of the cost of asyncio.timeout
        if self._transport and self.is_open:
            self._transport.write(request)
        else:
            self.connection_lost(None)
        try:
            if large_body and not await self._write_in_pieces(large_body, self._completed):
                response.keep_alive = False  # an early reply: the rest of the body would be read as the next request
            return await self._completed
        finally:
            timer.cancel()
            response.release()
            if self._slot_task:
                self._slot_task.cancel()
            if call_slot is None:
                self._slot.end()
            self._response = self._completed = None

    async def _write_in_pieces(self, body: bytes, completed: "asyncio.Future[HttpResponse]") -> bool:
        """Write the body while the other end reads it. Return False if the exchange ended before."""
        for start in range(0, len(body), LARGE_BODY_BYTES):
            if completed.done() or not self._transport:
                return False
            self._transport.write(body[start : start + LARGE_BODY_BYTES])
            if self._drained:
                ends: set[asyncio.Future[Any]] = {self._drained, completed}
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        return True

    def pause_writing(self) -> None:
        self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._drained and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    def _require_acknowledgement(self) -> None:
        """Limit the time for an acknowledgement. Requests that follow each other share one timer."""
        self._acknowledged_at = self._loop.time() + ACKNOWLEDGED_AFTER_SECONDS
        if not self._has_time_limit:
            self._has_time_limit = True
            self._set_limit(UNACKNOWLEDGED_MS)
            self._loop.call_at(self._acknowledged_at, self._lift_limit)

    def _lift_limit(self) -> None:
        if self._loop.time() < self._acknowledged_at:  # a later request was sent
            self._loop.call_at(self._acknowledged_at, self._lift_limit)
            return
        self._has_time_limit = False
        self._set_limit(0)

    def _set_limit(self, milliseconds: int) -> None:
        """Limit the time for which sent bytes may stay unacknowledged. Zero is the system's own limit."""
        if self._transport and self.is_open and hasattr(socket, "TCP_USER_TIMEOUT"):
            with suppress(OSError):  # the connection has been closed meanwhile
                connected = self._transport.get_extra_info("socket")
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)

    def _time_out(self) -> None:
        if self._completed and not self._completed.done():
            self._completed.set_exception(httpx2.ReadTimeout("the call's time is up"))

    def close(self) -> None:
        self.is_open = False
        if self._transport:
            self._transport.abort()

    @property
    def has_received(self) -> bool:
        """True if the other end has sent something since the last request."""
        return self._reads > 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        _probe_when_idle(transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        if not self._response or not self._completed or self._completed.done():
            return self.close()  # data without a request must not become the response to the next one
        self._reads += 1
        try:
            self._response.feed(data)
        except httpx2.DecodingError as error:
            self._completed.set_exception(error)
        else:
            if len(self._response.body) > large_reply_slots.LARGE_BYTES and not self._has_slot:
                self._wait_for_slot(self._response, self._completed)
            elif self._response.is_complete:
                self._completed.set_result(self._response)
            elif self._reads > READS_WITHOUT_PAUSE:
                self._pause_reading()

    def _pause_reading(self) -> None:
        if self._transport:
            self._transport.pause_reading()
            self._loop.call_later(READ_PAUSE_SECONDS, self._resume_reading)

    def _wait_for_slot(self, response: HttpResponse, completed: "asyncio.Future[HttpResponse]") -> None:
        """Stop reading a large reply, and do not complete it, until the call has a slot."""
        self._waits_for_slot = True
        if self._transport:
            self._transport.pause_reading()
        self._slot_task = self._loop.create_task(self._take_slot(response, completed))

    async def _take_slot(self, response: HttpResponse, completed: "asyncio.Future[HttpResponse]") -> None:
        if not await self._slot.take(self._timeout_seconds) or completed.done():
            return
        self._waits_for_slot, self._has_slot = False, True
        self._resume_reading()
        if response.is_complete:
            completed.set_result(response)

    def _resume_reading(self) -> None:
        if self._transport and not self._transport.is_closing() and not self._waits_for_slot:
            self._transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if not self._response or not self._completed or self._completed.done():
            return
        if self._response.is_complete:  # it waits for a slot
            self._response.keep_alive = False
            return
        try:
            if not self._reads:
                raise httpx2.ConnectError("the connection closed without a reply") from error
            if error:
                raise httpx2.DecodingError("the connection was lost during the reply")
            self._response.finish()
            self._completed.set_result(self._response)
        except httpx2.HTTPError as failure:
            self._completed.set_exception(failure)


def _probe_when_idle(connected: socket.socket) -> None:
    probes = {"TCP_KEEPIDLE": PROBE_AFTER_SECONDS, "TCP_KEEPINTVL": PROBE_INTERVAL_SECONDS, "TCP_KEEPCNT": PROBES}
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in probes.items():
        if hasattr(socket, name):  # Linux has all of them
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
