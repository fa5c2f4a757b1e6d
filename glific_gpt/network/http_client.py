"""HTTP clients: one client per thread, a deadline for the whole exchange, and a check of every IP address."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any

import httpcore2
import httpx2

from glific_gpt.clock import Deadline
from glific_gpt.runtime.event_loop import require_thread

_deadline: ContextVar[Deadline | None] = ContextVar("deadline", default=None)

KEEPALIVE_SECONDS = 60
ADDRESS_CONNECT_TIMEOUT_SECONDS = 1.0
"""Connect time-out of each address of a host except the last, so that time is left for the next address."""

FRAMING_BYTES = 256 * 1024
"""Bytes of a reply beside its body: interim responses, headers, sizes of chunks and trailers.

Limits what arrives before the headers are complete, too: httpcore2 takes 20 microseconds for each interim response.
"""
MAX_RECEIVED_BYTES = 1024 * 1024 + FRAMING_BYTES
"""Limit of a whole reply. Callers limit the body itself."""
MAX_CHUNKS = 10_000
"""Limit of the chunks of a body. httpx2 takes 20 microseconds for each, even if it holds one byte."""

Resolver = Callable[[str, int], list[str]]
"""Returns the IP addresses of a host and port. Raises httpcore2.ConnectError."""
AddressPolicy = Callable[[str, str], bool]
"""Returns whether a host (first argument) may be reached at one of its IP addresses (second argument)."""


class AddressRefused(httpcore2.ConnectError):
    """The policy allows no address of the host. It is the cause of the httpx2.ConnectError that the caller gets."""


class ThreadClient(httpx2.Client):
    """A client for one thread, which closes its connections when the thread ends.

    It stores no cookies, because a cookie of one organization would be sent with calls of another one.
    """

    def __init__(self, transport: httpx2.BaseTransport) -> None:
        super().__init__(transport=transport, follow_redirects=False, trust_env=False)
        self.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def __del__(self) -> None:
        try:  # noqa: SIM105 - at interpreter exit, `suppress` may be gone already
            self.close()
        except Exception:  # noqa: BLE001, S110 - and so may the modules that `close` needs
            pass


class NoRedirectClient(ThreadClient):
    """A client that drops the Location header.

    httpx2 parses the header even when it does not follow redirects, and raises an error for an invalid URL.
    """

    def __init__(self, transport: httpx2.BaseTransport) -> None:
        super().__init__(transport)
        self.event_hooks = {"response": [lambda response: response.headers.pop("location", None)]}


@cache
def tls_context() -> ssl.SSLContext:
    """Return the context of all verified HTTPS connections: reading the system's certificates takes 20 ms.

    It cannot be used for other protocols, because the HTTP client sets its own protocol in it (ALPN).
    """
    return ssl.create_default_context()


def unverified_tls_context() -> ssl.SSLContext:
    """Return a TLS context that checks no certificate, for callers that imitate Glific, which checks none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@contextmanager
def deadline_scope(deadline: Deadline) -> Iterator[None]:
    """End every connect, read and write of this thread's clients at the deadline."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


def resolve_addresses(host: str, port: int) -> list[str]:
    """Return the addresses that the system's resolver finds. Raises httpcore2.ConnectError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # getaddrinfo raises UnicodeError for an invalid host name.
    except (OSError, UnicodeError) as error:
        raise httpcore2.ConnectError("the name of the host cannot be resolved") from error
    return [str(sockaddr[0]) for *_, sockaddr in found]


def is_private_host(host: str, resolve: Resolver | None = None) -> bool:
    """Return whether the host can only be reached from a private network.

    Judges the name, and its addresses if `resolve` is given. Raises httpcore2.ConnectError if `resolve` finds none.
    """
    found = resolve(host, 443) if resolve else []
    with suppress(ValueError):
        return not ip_address(host).is_global
    if "." not in host or host.endswith((".localhost", ".local", ".internal")):
        return True
    # The resolver adds the zone to link-local IPv6 addresses (fe80::1%eth0), which `ip_address` cannot judge.
    return bool(found) and not any(ip_address(address.partition("%")[0]).is_global for address in found)


def read_body(response: httpx2.Response, max_bytes: int) -> bytes | None:
    """Return the body as it was sent, without decompressing it. None if it is too large, or in too many chunks."""
    body = bytearray()
    for number, chunk in enumerate(response.iter_raw()):
        body += chunk
        if len(body) > max_bytes or number > MAX_CHUNKS:
            return None
    return bytes(body)


class DeadlineTransport(httpx2.HTTPTransport):
    """A transport that obeys `deadline_scope`. The time-outs of httpx2 restart with every byte that arrives."""

    def __init__(
        self,
        context: ssl.SSLContext,
        allows: AddressPolicy | None = None,
        resolve: Resolver = resolve_addresses,
        *,
        max_received_bytes: int = MAX_RECEIVED_BYTES,
    ) -> None:
        super().__init__(verify=context)
        # httpx2 has no argument for the network backend of its pool; httpcore2 has.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context,
            max_connections=None,
            max_keepalive_connections=1,  # a client belongs to one thread, which sends one request at a time
            keepalive_expiry=KEEPALIVE_SECONDS,
            network_backend=_DeadlineBackend(allows, resolve, max_received_bytes),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request and return the response as soon as its headers are complete."""
        response = super().handle_request(request)
        stream = response.extensions.get("network_stream")
        if isinstance(stream, _DeadlineStream):
            stream.accept_body()
        return response


class _DeadlineBackend(httpcore2.SyncBackend):
    def __init__(self, allows: AddressPolicy | None, resolve: Resolver, max_received_bytes: int) -> None:
        self._max_received_bytes = max_received_bytes
        self._allows = allows
        self._resolve = resolve

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *args: Any, **options: Any
    ) -> httpcore2.NetworkStream:
        """Try each allowed address of the host for a second, and the last one until the deadline."""
        require_thread("connect_tcp")
        *others, last = self._allowed_addresses(host, port)
        for address in others:
            seconds = _seconds_left(ADDRESS_CONNECT_TIMEOUT_SECONDS, httpcore2.ConnectTimeout)
            with suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):
                return self._wrap(super().connect_tcp(address, port, seconds, *args, **options))
        seconds = _seconds_left(timeout, httpcore2.ConnectTimeout)
        return self._wrap(super().connect_tcp(last, port, seconds, *args, **options))

    def _wrap(self, stream: httpcore2.NetworkStream) -> httpcore2.NetworkStream:
        return _DeadlineStream(stream, self._max_received_bytes)

    def _allowed_addresses(self, host: str, port: int) -> list[str]:
        """Resolve the host and return at least one address. Raises AddressRefused if none is allowed.

        The connection uses the returned addresses. If the name were resolved again, it could change after the check.
        """
        found = self._resolve(host, port)
        allowed = [address for address in found if self._allows is None or self._allows(host, address)]
        if not allowed:
            raise AddressRefused("no address of this host may be connected to")
        return allowed


class _DeadlineStream(httpcore2.NetworkStream):
    """A stream that checks the deadline before each operation, and limits the size of each reply."""

    def __init__(self, stream: httpcore2.NetworkStream, max_received_bytes: int) -> None:
        self._stream = stream
        self._max_received_bytes = max_received_bytes
        self._received_bytes, self._limit = 0, FRAMING_BYTES

    def accept_body(self) -> None:
        """Receive the rest of the reply up to the limit of the whole."""
        self._limit = self._max_received_bytes

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._stream.read(max_bytes, _seconds_left(timeout, httpcore2.ReadTimeout))
        self._received_bytes += len(data)
        if self._received_bytes > self._limit:
            raise httpcore2.RemoteProtocolError("the reply is too large")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._received_bytes, self._limit = 0, FRAMING_BYTES  # a request begins
        self._stream.write(buffer, _seconds_left(timeout, httpcore2.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        # Wrapped again: the TLS stream is a new object, without the deadline.
        seconds = _seconds_left(timeout, httpcore2.ConnectTimeout)
        stream = self._stream.start_tls(ssl_context, server_hostname, seconds)
        return _DeadlineStream(stream, self._max_received_bytes)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _seconds_left(timeout: float | None, timeout_error: type[Exception]) -> float | None:
    """Return the shorter of the time-out and the time until the deadline. Raises `timeout_error` after the deadline."""
    require_thread("An exchange of http_client.py")  # each read, write and connect asks for its time here
    deadline = _deadline.get()
    if deadline is None:
        return timeout
    if deadline.passed:
        raise timeout_error("the call's time is up")
    return min(deadline.remaining(), timeout) if timeout is not None else deadline.remaining()
