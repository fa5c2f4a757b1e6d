"""Connections to one host: each is borrowed by the call that asks, and given back for the next."""

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

from glific_gpt.http_client import KEEPALIVE_SECONDS, ONE_ADDRESS_SECONDS

Headers = Iterable[tuple[bytes, bytes]]


class Reply:
    """One reply, as the parser finds it."""

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()
        self.is_whole = False
        self.keeps_alive = False
        self._has_head = False

    @property
    def status(self) -> int:
        return int(self._parser.get_status_code())

    def feed(self, data: bytes) -> None:
        """What was received. Raises httpx2.DecodingError."""
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            raise httpx2.DecodingError("this is no reply") from None

    def end(self) -> None:
        """The connection has ended, which a body without a length ends with (RFC 9112, 6.3). Raises DecodingError."""
        if not self._has_head or {b"content-length", b"transfer-encoding"} & {name.lower() for name, _ in self.headers}:
            raise httpx2.DecodingError("the reply broke off")
        self.is_whole = True

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._has_head = True

    def on_body(self, some: bytes) -> None:
        self.body += some

    def on_message_complete(self) -> None:
        if self.status < 200:  # there is more to come (RFC 9110, 15.2)
            self.headers, self._has_head = [], False
        else:
            # The parser knows it now, and has forgotten it a moment later.
            self.is_whole, self.keeps_alive = True, bool(self._parser.should_keep_alive())


class _Connection(asyncio.Protocol):
    """One connection, with at most one request under way."""

    def __init__(self) -> None:
        self.is_open = True
        self.idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        self._reply: Reply | None = None
        self._heard = False
        self._whole: asyncio.Future[Reply] | None = None

    async def ask(self, request: bytes, seconds: float) -> Reply:
        """Raises as Connections.ask."""
        loop = asyncio.get_running_loop()
        self._reply, self._heard = Reply(), False
        self._whole = loop.create_future()
        late = loop.call_later(seconds, self._give_up)  # a tenth of what asyncio.timeout costs
        if self._transport and self.is_open:
            self._transport.write(request)
        else:
            self.connection_lost(None)
        try:
            return await self._whole
        finally:
            late.cancel()
            self._whole = None

    def _give_up(self) -> None:
        if self._whole and not self._whole.done():
            self._whole.set_exception(_too_late())

    def close(self) -> None:
        self.is_open = False
        if self._transport:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if not self._reply or not self._whole or self._whole.done():
            return self.close()  # nothing was asked
        self._heard = True
        try:
            self._reply.feed(data)
        except httpx2.DecodingError as error:
            self._whole.set_exception(error)
        else:
            if self._reply.is_whole:
                self._whole.set_result(self._reply)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if not self._reply or not self._whole or self._whole.done():
            return
        try:
            if not self._heard:
                raise httpx2.ConnectError("nothing was heard")
            if error:
                raise httpx2.DecodingError("the connection broke off")
            self._reply.end()
            self._whole.set_result(self._reply)
        except httpx2.HTTPError as failure:
            self._whole.set_exception(failure)


class Connections:
    """Those to the host of a base URL: one for each call that is under way, all on the process's event loop."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._netloc = httpx2.URL(base_url).netloc
        self._host = parts.hostname or ""
        self._is_secure = parts.scheme == "https"
        self._port = parts.port or (443 if self._is_secure else 80)
        self._idle: deque[_Connection] = deque()

    async def ask(self, method: str, target: bytes, headers: Headers, body: bytes, seconds: float) -> Reply:
        """The whole reply within that time, the resolving of the name included.

        Raises httpx2.ReadTimeout, httpx2.ConnectError when nothing was heard, and httpx2.DecodingError when something
        was that is no whole reply.
        """
        head = [b"%s %s HTTP/1.1" % (method.encode(), target), b"Host: " + self._netloc]
        head += [b"%s: %s" % header for header in headers]
        head += [b"Content-Length: %d" % len(body)] if body else []
        until = time.monotonic() + seconds
        connection = self._idle_one() or await self._new(seconds)
        reply: Reply | None = None
        try:
            reply = await connection.ask(b"\r\n".join([*head, b"", body]), until - time.monotonic())
            return reply
        finally:
            self._give_back(connection, reply)

    @cached_property
    def _tls(self) -> ssl.SSLContext | None:
        """Of the certificates that the operating system trusts."""
        return ssl.create_default_context() if self._is_secure else None

    def _idle_one(self) -> _Connection | None:
        """The one that was used last, so that the others can be given up."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and time.monotonic() - connection.idle_since < KEEPALIVE_SECONDS:
                return connection
            connection.close()
        return None

    def _give_back(self, connection: _Connection, reply: Reply | None) -> None:
        if not reply or not reply.keeps_alive:
            connection.close()
            return
        connection.idle_since = time.monotonic()
        self._idle.append(connection)
        if connection.idle_since - self._idle[0].idle_since > KEEPALIVE_SECONDS:
            self._idle.popleft().close()

    async def _new(self, seconds: float) -> _Connection:
        try:
            async with asyncio.timeout(seconds):
                return await self._connected_to_any()
        except TimeoutError:
            raise _too_late() from None
        except (OSError, UnicodeError) as error:  # the latter is the resolver's for what can be no name
            raise httpx2.ConnectError("the host cannot be reached") from error

    async def _connected_to_any(self) -> _Connection:
        """Tries each address of the host for a second at most, the last for as long as there is time."""
        found = await asyncio.get_running_loop().getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        *others, last = [str(address[0]) for *_, address in found]
        for other in others:
            with suppress(OSError):  # of which TimeoutError is one
                async with asyncio.timeout(ONE_ADDRESS_SECONDS):
                    return await self._connected(other)
        return await self._connected(last)

    async def _connected(self, address: str) -> _Connection:
        name, loop = self._host if self._tls else None, asyncio.get_running_loop()
        return (await loop.create_connection(_Connection, address, self._port, ssl=self._tls, server_hostname=name))[1]


def _too_late() -> httpx2.ReadTimeout:
    return httpx2.ReadTimeout("the call's time is up")
