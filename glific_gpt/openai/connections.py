"""Pool of HTTP/1.1 connections to one host. A call borrows a connection and returns it for the next call."""

import asyncio
import contextvars
import hashlib
import socket
import ssl
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cached_property
from typing import TypeVar
from urllib.parse import urlsplit

import httpx2

from glific_gpt.errors import Overloaded
from glific_gpt.network.http_client import ADDRESS_CONNECT_TIMEOUT_SECONDS, KEEPALIVE_SECONDS, tls_context
from glific_gpt.openai.connection import LARGE_BODY_BYTES, Connection
from glific_gpt.openai.http_response import HttpResponse
from glific_gpt.openai.name_lookups import NameLookup, resolve
from glific_gpt.openai.proxy import Tunnel, find_proxy
from glific_gpt.runtime.file_descriptors import EXHAUSTED_ERRORS

MAX_IDLE_CONNECTIONS = 100
"""Idle connections of one key. Changing keys and addresses could otherwise use up the process's file descriptors."""

Headers = Iterable[tuple[bytes, bytes]]
AddressFilter = Callable[[str], bool]
"""Returns whether the host may be reached at one of its IP addresses."""
Protocol = TypeVar("Protocol", bound=asyncio.Protocol)


def _owner_of(headers: Headers) -> bytes:
    """Return a hash of the key in the headers, because a connection must not keep the key itself."""
    key = next((value for name, value in headers if name.lower() == b"authorization"), b"")
    return hashlib.blake2b(key, digest_size=16).digest()


def _close_unused(task: "asyncio.Task[Connection]") -> None:
    if not task.cancelled() and not task.exception():
        task.result().close()


class AddressRefused(OSError):
    """The host may be reached at none of its IP addresses."""


class ConnectionPool:
    """Connections to the host of a base URL, one for each call in flight, all on the process's event loop.

    A connection is used again for the same key only.
    """

    def __init__(self, base_url: str, allows: AddressFilter | None = None) -> None:
        """Without `allows`, the host may have any IP address.

        Raises SettingsError for an HTTPS_PROXY that is not the address of a proxy.
        """
        self._allows = allows
        parts = urlsplit(base_url)
        self._netloc = httpx2.URL(base_url).netloc
        self._host = parts.hostname or ""
        self._is_secure = parts.scheme == "https"
        self._port = parts.port or (443 if self._is_secure else 80)
        self._proxy = find_proxy(base_url)
        self._idle: deque[Connection] = deque()
        self._idle_by_owner: Counter[bytes] = Counter()
        self._is_timer_set = False
        self._lookup = NameLookup(self._host, self._port, is_chosen=allows is not None)

    async def request(
        self, method: str, target: bytes, headers: Headers, body: bytes, timeout_seconds: float
    ) -> HttpResponse:
        """Send a request and return the complete response. The time-out includes name resolution and connecting.

        Raises httpx2.ReadTimeout and httpx2.ConnectTimeout, httpx2.ConnectError if there was no reply at all,
        httpx2.DecodingError if the reply is incomplete, too large or not HTTP, and Overloaded if this process has no
        more file descriptors.
        """
        head = [b"%s %s HTTP/1.1" % (method.encode(), target), b"Host: " + self._netloc]
        head += [b"%s: %s" % header for header in headers]
        head += [b"Content-Length: %d" % len(body)] if body else []
        is_large = len(body) > LARGE_BODY_BYTES
        request = b"\r\n".join([*head, b"", b"" if is_large else body])
        sent_at = time.monotonic()
        ends_at = sent_at + timeout_seconds
        owner = _owner_of(headers)
        if not is_large and (reused := self._take_idle(owner)):
            try:
                return await self._exchange(reused, request, ends_at, reused=True)
            except (httpx2.ConnectError, httpx2.ReadTimeout) as error:
                if reused.has_received:
                    raise
                # Something that cut this connection has probably cut the others too, unless they were used meanwhile.
                self._close_idle(since=sent_at)
                if isinstance(error, httpx2.ReadTimeout):
                    raise
        connection = await self._connect(ends_at - time.monotonic())
        connection.owner = owner
        return await self._exchange(connection, request, ends_at, large_body=body if is_large else b"")

    async def _exchange(
        self, connection: Connection, request: bytes, ends_at: float, *, reused: bool = False, large_body: bytes = b""
    ) -> HttpResponse:
        response: HttpResponse | None = None
        try:
            seconds = ends_at - time.monotonic()
            response = await connection.send(request, seconds, reused=reused, large_body=large_body)
            return response
        finally:
            self._release(connection, response)

    @cached_property
    def _tls(self) -> ssl.SSLContext | None:
        """TLS with the certificates that the operating system trusts. Created on first use because it is slow."""
        return tls_context() if self._is_secure else None

    def _take_idle(self, owner: bytes) -> Connection | None:
        """Take the owner's connection that was used last, so that the others time out and the pool shrinks.

        A second reply to one request can arrive at any time. On a connection of another owner, it would be taken for
        the reply to this one's next request.
        """
        while connection := next((each for each in reversed(self._idle) if each.owner == owner), None):
            self._drop_idle(connection)
            if connection.is_open and time.monotonic() - connection.idle_since < KEEPALIVE_SECONDS:
                return connection
            connection.close()
        return None

    def _close_idle(self, since: float) -> None:
        """Close the connections that have been idle since then. The oldest is at the left."""
        while self._idle and self._idle[0].idle_since <= since:
            oldest = self._idle[0]
            self._drop_idle(oldest)
            oldest.close()

    def _drop_idle(self, connection: Connection) -> None:
        self._idle.remove(connection)
        self._idle_by_owner[connection.owner] -= 1
        if not self._idle_by_owner[connection.owner]:
            del self._idle_by_owner[connection.owner]

    def _release(self, connection: Connection, response: HttpResponse | None) -> None:
        """Keep the connection for the next call, unless its response failed or the server closes it."""
        is_full = self._idle_by_owner[connection.owner] >= MAX_IDLE_CONNECTIONS
        if not response or not response.keep_alive or is_full:
            connection.close()
            return
        connection.idle_since = time.monotonic()
        self._idle.append(connection)
        self._idle_by_owner[connection.owner] += 1
        if not self._is_timer_set:
            self._set_timer(KEEPALIVE_SECONDS)

    def _set_timer(self, seconds: float) -> None:
        self._is_timer_set = True
        # In the context of the current call, the timer would keep the whole call in memory.
        asyncio.get_running_loop().call_later(seconds, self._close_expired, context=contextvars.Context())

    def _close_expired(self) -> None:
        """Close connections that have been idle for too long, also without another call. The oldest is at the left.

        The timer keeps a reference to the pool until its last connection is closed, even if no key has its address any
        more.
        """
        self._is_timer_set = False
        oldest = time.monotonic() - KEEPALIVE_SECONDS
        self._close_idle(since=oldest)
        if self._idle:
            self._set_timer(self._idle[0].idle_since - oldest)

    async def _connect(self, timeout_seconds: float) -> Connection:
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._connect_outside_call()
        except TimeoutError:
            raise httpx2.ConnectTimeout("the call's time is up") from None
        except (OSError, UnicodeError) as error:  # the resolver raises UnicodeError for an impossible host name
            if isinstance(error, OSError) and error.errno in EXHAUSTED_ERRORS:
                raise Overloaded(retry_after=1) from None  # the fault is not OpenAI's
            raise httpx2.ConnectError("the host cannot be reached") from error

    async def _connect_outside_call(self) -> Connection:
        """Connect in an empty context: the transport keeps it, and with that of the call it would keep the call."""
        opening = self._connect_through_proxy() if self._proxy else self._connect_directly()
        task = asyncio.get_running_loop().create_task(opening, context=contextvars.Context())
        try:
            return await task
        except asyncio.CancelledError:
            task.add_done_callback(_close_unused)  # it may have ended at the same moment
            raise

    async def _connect_directly(self) -> Connection:
        addresses = await self._allowed_addresses()
        return (await self._open(Connection, addresses, self._port, self._tls))[1]

    async def _allowed_addresses(self) -> list[str]:
        """Resolve the host and return at least one address. Raises AddressRefused if none is allowed.

        The connection uses the returned addresses. If the name were resolved again, it could change after the check.
        """
        found = await self._lookup.find()
        allowed = [address for address in found if self._allows is None or self._allows(address)]
        if not allowed:
            raise AddressRefused
        return allowed

    async def _connect_through_proxy(self) -> Connection:
        assert self._proxy  # noqa: S101 - for the type checker
        if self._allows is not None:
            # The proxy resolves the name again, so it should refuse private addresses too. A name that only the proxy
            # can resolve is left to it.
            with suppress(socket.gaierror):
                await self._allowed_addresses()
        request = self._proxy.connect_request(self._host, self._port)
        addresses = await resolve(self._proxy.host, self._proxy.port)
        transport, tunnel = await self._open(lambda: Tunnel(request), addresses, self._proxy.port, None)
        connection = Connection()
        try:
            await tunnel.opened
            loop = asyncio.get_running_loop()
            assert self._tls  # noqa: S101 - only https URLs have a proxy
            secured = await loop.start_tls(transport, connection, self._tls, server_hostname=self._host)
        except BaseException:
            transport.abort()
            raise
        assert secured  # noqa: S101 - it is None only for a transport that is closing
        connection.connection_made(secured)  # `start_tls` does not call it
        return connection

    async def _open(
        self, create: Callable[[], Protocol], addresses: list[str], port: int, tls: ssl.SSLContext | None
    ) -> tuple[asyncio.Transport, Protocol]:
        """Try each address for one second, the last one for the remaining time."""
        loop = asyncio.get_running_loop()
        *first_addresses, last_address = addresses
        # The certificate is checked against the name of the host, although the connection is made to an address.
        name = self._host if tls else None
        for address in first_addresses:
            with suppress(OSError):  # TimeoutError is an OSError
                async with asyncio.timeout(ADDRESS_CONNECT_TIMEOUT_SECONDS):
                    return await loop.create_connection(create, address, port, ssl=tls, server_hostname=name)
        return await loop.create_connection(create, last_address, port, ssl=tls, server_hostname=name)
