"""Responses of a connection, each in one write."""

import asyncio
from typing import Any

WRITE_TIMEOUT_SECONDS = 60.0
"""How long a response may wait for the client to read it, and a connection to be closed."""

LARGE_PART_BYTES = 64 * 1024
"""Size from which a part is sent immediately: a large response has many of them."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
"""The only bytes that uvicorn writes before the response."""


class ResponseWriter:
    """A transport that writes head and body of a response together: two writes would wake the client twice."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self._write_timeout: asyncio.TimerHandle | None = None

    def write(self, part: bytes) -> None:
        self._parts.append(part)
        if part == CONTINUE or len(part) >= LARGE_PART_BYTES:
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
