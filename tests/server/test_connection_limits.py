"""Connections of clients are limited for the process and for an address, and the log says so."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from glific_gpt.server.connection_limits import ConnectionLimits
from tests.conftest import StartServer
from tests.support.server import TIMEOUT_SECONDS, RunningServer

MAXIMUM = 10
REQUEST = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


@contextmanager
def connected(server: RunningServer, source: str = "127.0.0.1") -> Iterator[socket.socket]:
    address = urlsplit(server.url)
    target = (address.hostname or "", address.port or 0)
    with socket.create_connection(target, TIMEOUT_SECONDS, source_address=(source, 0)) as wire:
        yield wire


def ask(wire: socket.socket) -> bytes:
    wire.sendall(REQUEST)
    return wire.recv(4096)


@pytest.mark.parametrize(
    ("settings", "setting"),
    [
        ({"max_connections": MAXIMUM}, "GLIFIC_GPT_MAX_CONNECTIONS"),
        ({"max_connections_per_address": MAXIMUM}, "GLIFIC_GPT_MAX_CONNECTIONS_PER_ADDRESS"),
    ],
)
def test_connections_beyond_the_limit_are_refused_and_logged(
    start_server: StartServer, capfd: pytest.CaptureFixture[str], settings: dict[str, Any], setting: str
) -> None:
    server = start_server(**settings)
    with ExitStack() as stack:
        wires = [stack.enter_context(connected(server)) for _ in range(MAXIMUM)]
        assert all(ask(wire).startswith(b"HTTP/1.1 200 ") for wire in wires)
        with connected(server) as refused:
            response = ask(refused)
        assert response.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 1\r\n" in response
        assert ask(wires[0]).startswith(b"HTTP/1.1 200 ")
        is_limit_of_address = "max_connections_per_address" in settings
        with connected(server, "127.0.0.2") as other:
            assert ask(other).startswith(b"HTTP/1.1 200 " if is_limit_of_address else b"HTTP/1.1 503 ")
    logged = capfd.readouterr().err
    assert logged.count("connections_refused") == 1
    assert setting in logged
    require_accepted(server)


def require_accepted(server: RunningServer) -> None:
    """Require that the server accepts a connection again, after it has noticed that others are closed."""
    until = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < until:
        with connected(server) as wire:
            if ask(wire).startswith(b"HTTP/1.1 200 "):
                return
        time.sleep(0.05)
    raise AssertionError("The server refuses all connections.")


def test_behind_a_proxy_an_address_has_no_limit(start_server: StartServer) -> None:
    server = start_server(max_connections_per_address=1, trusted_proxy_count=1)
    with connected(server) as one, connected(server) as two:
        assert ask(one).startswith(b"HTTP/1.1 200 ")
        assert ask(two).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("", "", True),
    ],
)
def test_an_ipv6_network_counts_as_one_address(one: str, other: str, is_same: bool) -> None:
    limits = ConnectionLimits(100, 1)
    assert limits.add(one)
    assert limits.add(other) is not is_same
    limits.remove(one)
    assert limits.add(one)
