"""Connections to OpenAI: kept open, one client for each thread, and never past the deadline of the call."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import httpcore2
import httpx2
from openai import Omit, OpenAI, RequestOptions
from pydantic import SecretStr

from glific_gpt.clock import Deadline

_deadline: ContextVar[Deadline | None] = ContextVar("deadline", default=None)

KEEPALIVE_SECONDS = 60
ONE_ADDRESS_SECONDS = 1.0
"""How long one address of a host may take to accept a connection, so that there is time for the next."""

NO_KEY = "no-key"


class Clients(threading.local):
    """An openai client for each thread, all over one SSL context.

    A pool that a thousand threads share makes each wait for its lock; a pool for each thread does not.
    """

    def __init__(self, base_url: str, context: ssl.SSLContext) -> None:
        http = _Http(transport=DeadlineTransport(context), follow_redirects=False, trust_env=False)
        self.client = OpenAI(api_key=NO_KEY, base_url=base_url, http_client=http, max_retries=0)


def options_for(api_key: SecretStr) -> RequestOptions:
    """One call's own headers: this key, and nothing of what the library finds in the operator's environment."""
    authorization = f"Bearer {api_key.get_secret_value()}"
    return {"headers": {"Authorization": authorization, "OpenAI-Organization": Omit(), "OpenAI-Project": Omit()}}


class _Http(httpx2.Client):
    """Closes its connections when its thread ends: the server's threads come and go."""

    def __del__(self) -> None:
        with suppress(Exception):
            self.close()


@contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """While inside, no read, write or connect of this thread's client lasts longer than the deadline."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


class DeadlineTransport(httpx2.HTTPTransport):
    """httpx's time-outs start anew with every byte that arrives; this one ends when the call's time is up."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(verify=context)
        # httpx2 has no argument for the network backend of its pool, httpcore2 has.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context,
            max_connections=None,
            max_keepalive_connections=1,
            keepalive_expiry=KEEPALIVE_SECONDS,
            network_backend=_Backend(),
        )


class _Backend(httpcore2.SyncBackend):
    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *args: Any, **options: Any
    ) -> httpcore2.NetworkStream:
        """Tries each address of the host for a second at most, the last for as long as there is time."""
        *others, last = _addresses(host, port)
        for address in others:
            left = _left(ONE_ADDRESS_SECONDS, httpcore2.ConnectTimeout)
            with suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):
                return _Stream(super().connect_tcp(address, port, left, *args, **options))
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(super().connect_tcp(last, port, left, *args, **options))


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


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore2.ConnectError("the name of the host cannot be resolved") from error
    return [str(sockaddr[0]) for *_, sockaddr in found]


def _left(timeout: float | None, late: type[Exception]) -> float | None:
    deadline = _deadline.get()
    if deadline is None:
        return timeout
    if deadline.passed:
        raise late("the call's time is up")
    return min(deadline.remaining(), timeout) if timeout is not None else deadline.remaining()
