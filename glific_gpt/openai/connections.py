"""Pool of HTTP/1.1 connections to one host. A call borrows a connection and returns it for the next call."""

import asyncio
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from urllib.parse import urlsplit

import httpx2
from httptools import HttpParserError, HttpResponseParser

from glific_gpt.errors import Overloaded
from glific_gpt.http_client import ADDRESS_CONNECT_TIMEOUT_SECONDS, KEEPALIVE_SECONDS, tls_context
from glific_gpt.runtime.file_descriptors import EXHAUSTED_ERRORS

Headers = Iterable[tuple[bytes, bytes]]

MAX_HEAD_BYTES = 64 * 1024
"""Limit of everything before the body, interim responses included, checked after each packet (256 KiB)."""
MAX_HEADERS = 256
MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_RECEIVED_BYTES = 2 * MAX_BODY_BYTES
"""Limit of a whole reply: chunk sizes, chunk extensions and trailers are no part of the body."""


class HttpResponse:
    """One response, filled by the parser while data arrives."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()
        self.is_complete = False
        self.keep_alive = False
        self._headers_complete = False
        self._received_bytes = 0
        self._parser: HttpResponseParser | None = HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Parse received bytes. Raises httpx2.DecodingError, also for a reply that is too large."""
        if not self._parser:
            return
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            if not self.is_complete:
                raise httpx2.DecodingError("the reply is not HTTP, or has too many headers") from None
            self.keep_alive = False  # more data than the reply
        self._received_bytes += len(data)
        limit = MAX_RECEIVED_BYTES if self._headers_complete else MAX_HEAD_BYTES
        if self._received_bytes > limit or len(self.body) > MAX_BODY_BYTES:
            raise httpx2.DecodingError("the reply is too large")

    def finish(self) -> None:
        """Handle the end of the connection, which ends a body without a length (RFC 9112, 6.3).

        Raises httpx2.DecodingError if the response is incomplete.
        """
        framing = {b"content-length", b"transfer-encoding"}
        if not self._headers_complete or framing & {name.lower() for name, _ in self.headers}:
            raise httpx2.DecodingError("the reply is incomplete")
        self.is_complete = True

    def release(self) -> None:
        """Break the reference cycle with the parser, so that the memory is freed without the garbage collector.

        The part of an incomplete reply is dropped: the frames of its error would keep it.
        """
        self._parser = None
        if not self.is_complete:
            self.body = bytearray()

    # Callbacks of the parser. It turns an exception into an HttpParserError.

    def on_message_begin(self) -> None:
        if self.is_complete:
            raise ValueError("a second reply to one request")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._headers_complete:
            return  # a trailer
        if len(self.headers) >= MAX_HEADERS:
            raise ValueError("too many headers")
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self._parser:
            self.status = self._parser.get_status_code()
        self._headers_complete = True

    def on_body(self, chunk: bytes) -> None:
        self.body += chunk

    def on_message_complete(self) -> None:
        if self.status < 200:  # an interim response, which another response follows (RFC 9110, 15.2)
            self.headers, self._headers_complete = [], False
        elif self._parser:
            # The parser can answer this only inside its callback.
            self.is_complete, self.keep_alive = True, bool(self._parser.should_keep_alive())


class _Connection(asyncio.Protocol):
    """One connection, with at most one request in flight."""

    def __init__(self) -> None:
        self.is_open = True
        self.idle_since = 0.0
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._response: HttpResponse | None = None
        self._received_data = False
        self._completed: asyncio.Future[HttpResponse] | None = None

    async def send(self, request: bytes, timeout_seconds: float) -> HttpResponse:
        """Send a request and return the complete response. Raises the same errors as ConnectionPool.request."""
        response = HttpResponse()
        self._response, self._received_data = response, False
        self._completed = self._loop.create_future()
        timer = self._loop.call_later(timeout_seconds, self._time_out)  # a tenth of the cost of asyncio.timeout
        if self._transport and self.is_open:
            self._transport.write(request)
        else:
            self.connection_lost(None)
        try:
            return await self._completed
        finally:
            timer.cancel()
            response.release()
            self._response = self._completed = None

    def _time_out(self) -> None:
        if self._completed and not self._completed.done():
            self._completed.set_exception(_timeout_error())

    def close(self) -> None:
        self.is_open = False
        if self._transport:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if not self._response or not self._completed or self._completed.done():
            return self.close()  # data without a request must not become the response to the next one
        self._received_data = True
        try:
            self._response.feed(data)
        except httpx2.DecodingError as error:
            self._completed.set_exception(error)
        else:
            if self._response.is_complete:
                self._completed.set_result(self._response)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if not self._response or not self._completed or self._completed.done():
            return
        try:
            if not self._received_data:
                raise httpx2.ConnectError("the connection closed without a reply")
            if error:
                raise httpx2.DecodingError("the connection was lost during the reply")
            self._response.finish()
            self._completed.set_result(self._response)
        except httpx2.HTTPError as failure:
            self._completed.set_exception(failure)


class ConnectionPool:
    """Connections to the host of a base URL, one for each call in flight, all on the process's event loop."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._netloc = httpx2.URL(base_url).netloc
        self._host = parts.hostname or ""
        self._is_secure = parts.scheme == "https"
        self._port = parts.port or (443 if self._is_secure else 80)
        self._idle: deque[_Connection] = deque()

    async def request(
        self, method: str, target: bytes, headers: Headers, body: bytes, timeout_seconds: float
    ) -> HttpResponse:
        """Send a request and return the complete response. The time-out includes name resolution and connecting.

        Raises httpx2.ReadTimeout, httpx2.ConnectError if there was no reply at all, httpx2.DecodingError if the reply
        is incomplete, too large or not HTTP, and Overloaded if this process has no more file descriptors.
        """
        head = [b"%s %s HTTP/1.1" % (method.encode(), target), b"Host: " + self._netloc]
        head += [b"%s: %s" % header for header in headers]
        head += [b"Content-Length: %d" % len(body)] if body else []
        ends_at = time.monotonic() + timeout_seconds
        connection = self._take_idle() or await self._connect(timeout_seconds)
        response: HttpResponse | None = None
        try:
            response = await connection.send(b"\r\n".join([*head, b"", body]), ends_at - time.monotonic())
            return response
        finally:
            self._release(connection, response)

    @cached_property
    def _tls(self) -> ssl.SSLContext | None:
        """TLS with the certificates that the operating system trusts. Created on first use because it is slow."""
        return tls_context() if self._is_secure else None

    def _take_idle(self) -> _Connection | None:
        """Take the connection that was used last, so that the others time out and the pool shrinks."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and time.monotonic() - connection.idle_since < KEEPALIVE_SECONDS:
                return connection
            connection.close()
        return None

    def _release(self, connection: _Connection, response: HttpResponse | None) -> None:
        """Keep the connection for the next call, unless its response failed or the server closes it."""
        if not response or not response.keep_alive:
            connection.close()
            return
        connection.idle_since = time.monotonic()
        self._idle.append(connection)
        # The oldest connection is at the left. One may be closed for each call that ends, so no timer is needed.
        if connection.idle_since - self._idle[0].idle_since > KEEPALIVE_SECONDS:
            self._idle.popleft().close()

    async def _connect(self, timeout_seconds: float) -> _Connection:
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._connect_to_any_address()
        except TimeoutError:
            raise _timeout_error() from None
        except (OSError, UnicodeError) as error:  # the resolver raises UnicodeError for an impossible host name
            if isinstance(error, OSError) and error.errno in EXHAUSTED_ERRORS:
                raise Overloaded(retry_after=1) from None  # the fault is not OpenAI's
            raise httpx2.ConnectError("the host cannot be reached") from error

    async def _connect_to_any_address(self) -> _Connection:
        """Try each address of the host for one second, the last one for the remaining time."""
        # SOCK_STREAM, because getaddrinfo would otherwise return each address once for each type of socket.
        addresses = await asyncio.get_running_loop().getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        *first_addresses, last_address = [str(address[0]) for *_, address in addresses]
        for address in first_addresses:
            with suppress(OSError):  # TimeoutError is an OSError
                async with asyncio.timeout(ADDRESS_CONNECT_TIMEOUT_SECONDS):
                    return await self._connect_to(address)
        return await self._connect_to(last_address)

    async def _connect_to(self, address: str) -> _Connection:
        # The certificate is checked against the name of the host, although the connection is made to an address.
        loop, server_name = asyncio.get_running_loop(), self._host if self._tls else None
        _, connection = await loop.create_connection(
            _Connection, address, self._port, ssl=self._tls, server_hostname=server_name
        )
        return connection


def _timeout_error() -> httpx2.ReadTimeout:
    return httpx2.ReadTimeout("the call's time is up")
