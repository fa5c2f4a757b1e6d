"""HTTP connections: one client for each thread, never past a deadline, only to addresses that are allowed."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any

import httpcore2
import httpx2

from glific_gpt.clock import Deadline

_deadline: ContextVar[Deadline | None] = ContextVar("deadline", default=None)

KEEPALIVE_SECONDS = 60
ONE_ADDRESS_SECONDS = 1.0
"""How long one address of a host may take to accept a connection, so that there is time for the next."""

Resolver = Callable[[str, int], list[str]]
"""The IP addresses of a host and port. Raises httpcore2.ConnectError."""
AddressPolicy = Callable[[str, str], bool]
"""Whether a host (the first) may be connected to at one of its IP addresses (the second)."""


class AddressRefused(httpcore2.ConnectError):
    """No address of the host may be connected to; the cause of the httpx2.ConnectError that the caller sees."""


class ThreadClient(httpx2.Client):
    """Closes its connections when its thread ends: the server's threads come and go.

    It keeps no cookie, as one organization's would be sent along with another's call.
    """

    def __init__(self, transport: httpx2.BaseTransport) -> None:
        super().__init__(transport=transport, follow_redirects=False, trust_env=False)
        self.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def __del__(self) -> None:
        try:  # noqa: SIM105 - when Python ends, what suppresses may be gone
            self.close()
        except Exception:  # noqa: BLE001, S110 - and so may what closes
            pass


class UnledClient(ThreadClient):
    """Does not even read where a redirect leads to: httpx2 does although it does not go there, and fails at what is
    no address."""

    def __init__(self, transport: httpx2.BaseTransport) -> None:
        super().__init__(transport)
        self.event_hooks = {"response": [lambda response: response.headers.pop("location", None)]}


def unverified() -> ssl.SSLContext:
    """For who calls as Glific does, which checks no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """While inside, no read, write or connect of this thread's client lasts longer than the deadline."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


def addresses(host: str, port: int) -> list[str]:
    """What the system's resolver says. Raises httpcore2.ConnectError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # UnicodeError is the resolver's for a name that cannot be one.
    except (OSError, UnicodeError) as error:
        raise httpcore2.ConnectError("the name of the host cannot be resolved") from error
    return [str(sockaddr[0]) for *_, sockaddr in found]


def is_inside(host: str, resolve: Resolver | None = None) -> bool:
    """Whether only a private network reaches the host, by how it is written, and by its addresses if it is resolved.

    Raises httpcore2.ConnectError where `resolve` finds none.
    """
    found = resolve(host, 443) if resolve else []
    with suppress(ValueError):
        return not ip_address(host).is_global
    if "." not in host or host.endswith((".localhost", ".local", ".internal")):
        return True
    # The resolver gives a zone along with some addresses of IPv6 (fe80::1%eth0).
    return bool(found) and not any(ip_address(address.partition("%")[0]).is_global for address in found)


class DeadlineTransport(httpx2.HTTPTransport):
    """httpx's time-outs start anew with every byte that arrives; this one ends when the call's time is up."""

    def __init__(
        self, context: ssl.SSLContext, allows: AddressPolicy | None = None, resolve: Resolver = addresses
    ) -> None:
        super().__init__(verify=context)
        # httpx2 has no argument for the network backend of its pool, httpcore2 has.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context,
            max_connections=None,
            max_keepalive_connections=1,
            keepalive_expiry=KEEPALIVE_SECONDS,
            network_backend=_Backend(allows, resolve),
        )


class _Backend(httpcore2.SyncBackend):
    def __init__(self, allows: AddressPolicy | None, resolve: Resolver) -> None:
        self._allows = allows
        self._resolve = resolve

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *args: Any, **options: Any
    ) -> httpcore2.NetworkStream:
        """Tries each address of the host for a second at most, the last for as long as there is time."""
        *others, last = self._allowed(host, port)
        for address in others:
            left = _left(ONE_ADDRESS_SECONDS, httpcore2.ConnectTimeout)
            with suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):
                return _Stream(super().connect_tcp(address, port, left, *args, **options))
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(super().connect_tcp(last, port, left, *args, **options))

    def _allowed(self, host: str, port: int) -> list[str]:
        """At least one address. What is connected to is what was asked about: the name is not resolved again."""
        found = self._resolve(host, port)
        allowed = [address for address in found if self._allows is None or self._allows(host, address)]
        if not allowed:
            raise AddressRefused("no address of this host may be connected to")
        return allowed


class _Stream(httpcore2.NetworkStream):
    """A stream that asks the clock before each step."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout, httpcore2.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left))

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(timeout: float | None, late: type[Exception]) -> float | None:
    deadline = _deadline.get()
    if deadline is None:
        return timeout
    if deadline.passed:
        raise late("the call's time is up")
    return min(deadline.remaining(), timeout) if timeout is not None else deadline.remaining()
