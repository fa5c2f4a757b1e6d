"""Connections of clients: limits of requests, and the sending of responses, over a socket."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from uvicorn import Config, Server

from glific_gpt.server import http_protocol
from glific_gpt.server.http_protocol import HttpProtocol

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
TEST_TIMEOUT_SECONDS = 10
LIMIT_SECONDS = 0.5
LARGE_BYTES = 20_000_000


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Respond with the request's body. /large sends megabytes, /slow waits, /trailed sends the header X-Trailed."""
    body, is_coming = b"", True
    while is_coming:
        message = await receive()
        body, is_coming = body + message["body"], message["more_body"]
    if scope["path"] == "/large":
        body = b"x" * LARGE_BYTES
    elif scope["path"] == "/trailed":
        body = dict(scope["headers"]).get(b"x-trailed", b"not")
    elif scope["path"] == "/slow":
        await asyncio.sleep(4 * LIMIT_SECONDS)
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A connection to a server with short time-outs."""
    for limit in (
        "HEAD_TIMEOUT_SECONDS",
        "WEBHOOK_BODY_TIMEOUT_SECONDS",
        "BODY_TIMEOUT_SECONDS",
        "WRITE_TIMEOUT_SECONDS",
    ):
        monkeypatch.setattr(http_protocol, limit, LIMIT_SECONDS)
    with serving() as port, socket.create_connection(("127.0.0.1", port), TEST_TIMEOUT_SECONDS) as wire:
        yield wire


@contextmanager
def serving() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(Config(echo, http=HttpProtocol, lifespan="off", log_config=None, log_level="critical"))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def read_body(wire: socket.socket, length: int = 3) -> bytes:
    """Read a successful response and return its body."""
    with wire.makefile("rb") as reply:
        assert reply.readline() == b"HTTP/1.1 200 OK\r\n"
        while reply.readline() != b"\r\n":
            pass
        return reply.read(length)


def seconds_until_closed(wire: socket.socket, chunk: bytes = b"") -> float:
    """Send the chunk every 0.1 s until the server closes the connection, and return the seconds."""
    before = time.monotonic()
    wire.settimeout(0.1)
    while time.monotonic() - before < TEST_TIMEOUT_SECONDS:
        try:
            if not wire.recv(1000):
                break
        except TimeoutError:
            wire.sendall(chunk)
        except ConnectionError:
            break
    return time.monotonic() - before


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: "


@pytest.mark.parametrize("was_used", [False, True])
@pytest.mark.parametrize(("start", "chunk"), [(HEAD, b""), (HEAD, b"x"), (b"\r\n", b"\r\n")])
def test_a_head_that_arrives_too_slowly_closes_the_connection(
    wire: socket.socket, was_used: bool, start: bytes, chunk: bytes
) -> None:
    if was_used:
        wire.sendall(REQUEST)
        read_body(wire)
    wire.sendall(start)
    assert seconds_until_closed(wire, chunk) < 4 * LIMIT_SECONDS


def test_a_connection_without_a_request_is_closed(wire: socket.socket) -> None:
    assert seconds_until_closed(wire) < 4 * LIMIT_SECONDS


@pytest.mark.parametrize("path", [b"/", b"/webhooks/alice/parse_via_chat_gpt"])
@pytest.mark.parametrize("limit", ["WEBHOOK_BODY_TIMEOUT_SECONDS", "BODY_TIMEOUT_SECONDS"])
def test_a_body_that_arrives_too_slowly_is_truncated(
    wire: socket.socket, monkeypatch: pytest.MonkeyPatch, path: bytes, limit: str
) -> None:
    """Webhooks have their own limit."""
    monkeypatch.setattr(http_protocol, limit, TEST_TIMEOUT_SECONDS)
    wire.sendall(REQUEST.replace(b" / ", b" %s " % path)[:-1])
    time.sleep(2 * LIMIT_SECONDS)
    is_truncated = (limit == "BODY_TIMEOUT_SECONDS") is path.startswith(http_protocol.WEBHOOKS)
    wire.sendall(b"c")
    assert read_body(wire, 2 if is_truncated else 3) == (b"ab" if is_truncated else b"abc")


def test_a_body_that_arrives_in_time_is_complete(wire: socket.socket) -> None:
    wire.sendall(REQUEST[:-1])
    time.sleep(LIMIT_SECONDS / 2)
    wire.sendall(REQUEST[-1:])
    assert read_body(wire) == b"abc"


def test_the_limit_of_a_head_does_not_apply_to_many_requests_together(wire: socket.socket) -> None:
    for _ in range(2 * http_protocol.MAX_HEAD_BYTES // len(REQUEST)):
        wire.sendall(REQUEST)
        assert wire.recv(1000).endswith(b"abc")


def test_the_time_between_two_requests_may_be_longer(wire: socket.socket) -> None:
    for _ in range(2):
        wire.sendall(REQUEST)
        assert read_body(wire) == b"abc"
        time.sleep(2 * LIMIT_SECONDS)


def test_a_response_arrives_in_one_piece(wire: socket.socket) -> None:
    wire.sendall(REQUEST)
    assert wire.recv(1000).endswith(b"\r\n\r\nabc")


def test_the_last_response_arrives_before_the_connection_is_closed(wire: socket.socket) -> None:
    wire.sendall(REQUEST.replace(b"Host: x", b"Host: x\r\nConnection: close"))
    with wire.makefile("rb") as reply:
        assert reply.read().endswith(b"\r\n\r\nabc")


def test_expect_100_continue_is_answered_immediately(wire: socket.socket) -> None:
    wire.sendall(REQUEST.replace(b"Host: x", b"Host: x\r\nExpect: 100-continue").removesuffix(b"abc"))
    assert wire.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.sendall(b"abc")
    assert read_body(wire) == b"abc"


def test_a_head_that_is_too_long_is_refused(wire: socket.socket) -> None:
    wire.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * http_protocol.MAX_HEAD_BYTES)
    with wire.makefile("rb") as reply:
        response = reply.read()
    assert response.startswith(b"HTTP/1.1 400 ")
    assert response.endswith(b"The request is too long.")


def send_until_closed(wire: socket.socket, part: bytes) -> bytes:
    """Send the part repeatedly until the server closes the connection, and return the server's response."""
    with suppress(OSError):
        while True:
            wire.sendall(part)
    with suppress(OSError), wire.makefile("rb") as reply:
        return reply.read()
    return b""


def test_the_limit_of_a_head_also_applies_while_another_request_is_answered(wire: socket.socket) -> None:
    wire.settimeout(2 * LIMIT_SECONDS)
    wire.sendall(REQUEST.replace(b" / ", b" /slow "))
    wire.sendall(HEAD)
    before = time.monotonic()
    send_until_closed(wire, b"x" * 10_000)
    assert time.monotonic() - before < LIMIT_SECONDS


def test_the_number_of_pipelined_requests_is_limited(wire: socket.socket) -> None:
    """Requests within the limit are answered in their order."""
    wire.sendall(REQUEST * http_protocol.MAX_PIPELINED_REQUESTS)
    with wire.makefile("rb") as reply:
        for _ in range(http_protocol.MAX_PIPELINED_REQUESTS):
            while reply.readline() != b"\r\n":
                pass
            assert reply.read(3) == b"abc"
    wire.sendall(REQUEST.replace(b" / ", b" /slow ") + REQUEST * (http_protocol.MAX_PIPELINED_REQUESTS + 1))
    assert wire.recv(1000).startswith(b"HTTP/1.1 400 ")


def test_trailers_are_not_headers(wire: socket.socket) -> None:
    head = b"POST /trailed HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    wire.sendall(head + b"1\r\na\r\n0\r\nX-Trailed: yes\r\n\r\n")
    assert read_body(wire) == b"not"


def test_the_length_of_trailers_is_limited(wire: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "BODY_TIMEOUT_SECONDS", TEST_TIMEOUT_SECONDS)
    monkeypatch.setattr(http_protocol, "MAX_BODY_BYTES", 1_000_000)
    wire.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Long: ")
    before = time.monotonic()
    send_until_closed(wire, b"x" * 10_000)
    assert time.monotonic() - before < TEST_TIMEOUT_SECONDS / 2


@pytest.mark.parametrize("last", [b"", b"\r\nConnection: close"])
def test_a_client_that_does_not_read_its_response_is_disconnected(wire: socket.socket, last: bytes) -> None:
    wire.sendall(REQUEST.replace(b" / ", b" /large ").replace(b"Host: x", b"Host: x" + last))
    time.sleep(4 * LIMIT_SECONDS)
    received = 0
    with suppress(ConnectionError):
        while part := wire.recv(1_000_000):
            received += len(part)
    assert received < LARGE_BYTES


def test_a_client_that_reads_its_response_slowly_gets_it(wire: socket.socket) -> None:
    wire.sendall(REQUEST.replace(b" / ", b" /large "))
    time.sleep(LIMIT_SECONDS / 2)
    assert read_body(wire, LARGE_BYTES) == b"x" * LARGE_BYTES


def test_a_request_that_arrives_during_shutdown_is_answered() -> None:
    with serving() as port:
        wire = socket.create_connection(("127.0.0.1", port), TEST_TIMEOUT_SECONDS)
        wire.sendall(REQUEST[:20])
        time.sleep(LIMIT_SECONDS / 5)
        threading.Timer(http_protocol.SHUTDOWN_GRACE_SECONDS / 2, wire.sendall, [REQUEST[20:]]).start()
    with wire:
        assert read_body(wire) == b"abc"


def test_the_limit_of_a_head_does_not_apply_to_a_body(wire: socket.socket) -> None:
    body = b"x" * (2 * http_protocol.MAX_HEAD_BYTES)
    wire.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body))
    for start in range(0, len(body), 10_000):
        wire.sendall(body[start : start + 10_000])
    assert read_body(wire) == b"xxx"
