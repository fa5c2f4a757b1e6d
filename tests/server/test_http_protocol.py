"""A connection from a client: how a request may come, and how its answer does, over a socket."""

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
PATIENCE = 10
SECONDS = 0.5
LARGE = 20_000_000


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers with the body that it got; at /large with megabytes, at /slow later, at /trailed with a header."""
    body, is_coming = b"", True
    while is_coming:
        message = await receive()
        body, is_coming = body + message["body"], message["more_body"]
    if scope["path"] == "/large":
        body = b"x" * LARGE
    elif scope["path"] == "/trailed":
        body = dict(scope["headers"]).get(b"x-trailed", b"not")
    elif scope["path"] == "/slow":
        await asyncio.sleep(4 * SECONDS)
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A connection to a server that gives a request little time."""
    for limit in (
        "HEAD_TIMEOUT_SECONDS",
        "WEBHOOK_BODY_TIMEOUT_SECONDS",
        "BODY_TIMEOUT_SECONDS",
        "WRITE_TIMEOUT_SECONDS",
    ):
        monkeypatch.setattr(http_protocol, limit, SECONDS)
    with serving() as port, socket.create_connection(("127.0.0.1", port), PATIENCE) as wire:
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


def answered(wire: socket.socket, length: int = 3) -> bytes:
    """The body of an answer."""
    with wire.makefile("rb") as reply:
        assert reply.readline() == b"HTTP/1.1 200 OK\r\n"
        while reply.readline() != b"\r\n":
            pass
        return reply.read(length)


def ended_after(wire: socket.socket, drips: bytes = b"") -> float:
    """Seconds until the server ends the connection, while it is sent a byte now and then."""
    before = time.monotonic()
    wire.settimeout(0.1)
    while time.monotonic() - before < PATIENCE:
        try:
            if not wire.recv(1000):
                break
        except TimeoutError:
            wire.sendall(drips)
        except ConnectionError:
            break
    return time.monotonic() - before


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: "


@pytest.mark.parametrize("was_used", [False, True])
@pytest.mark.parametrize(("begun", "drips"), [(HEAD, b""), (HEAD, b"x"), (b"\r\n", b"\r\n")])
def test_a_head_that_does_not_come_in_time_ends_the_connection(
    wire: socket.socket, was_used: bool, begun: bytes, drips: bytes
) -> None:
    if was_used:
        wire.sendall(REQUEST)
        answered(wire)
    wire.sendall(begun)
    assert ended_after(wire, drips) < 4 * SECONDS


def test_a_connection_on_which_nothing_is_asked_is_ended(wire: socket.socket) -> None:
    assert ended_after(wire) < 4 * SECONDS


@pytest.mark.parametrize("path", [b"/", b"/webhooks/alice/parse_via_chat_gpt"])
@pytest.mark.parametrize("limit", ["WEBHOOK_BODY_TIMEOUT_SECONDS", "BODY_TIMEOUT_SECONDS"])
def test_a_body_that_comes_too_slowly_ends_where_it_is(
    wire: socket.socket, monkeypatch: pytest.MonkeyPatch, path: bytes, limit: str
) -> None:
    """That of a webhook by a limit of its own."""
    monkeypatch.setattr(http_protocol, limit, PATIENCE)
    wire.sendall(REQUEST.replace(b" / ", b" %s " % path)[:-1])
    time.sleep(2 * SECONDS)
    is_given_up = (limit == "BODY_TIMEOUT_SECONDS") is path.startswith(http_protocol.WEBHOOKS)
    wire.sendall(b"c")
    assert answered(wire, 2 if is_given_up else 3) == (b"ab" if is_given_up else b"abc")


def test_a_body_in_time_is_waited_for(wire: socket.socket) -> None:
    wire.sendall(REQUEST[:-1])
    time.sleep(SECONDS / 2)
    wire.sendall(REQUEST[-1:])
    assert answered(wire) == b"abc"


def test_many_requests_together_may_be_longer_than_a_head(wire: socket.socket) -> None:
    for _ in range(2 * http_protocol.MAX_HEAD_BYTES // len(REQUEST)):
        wire.sendall(REQUEST)
        assert wire.recv(1000).endswith(b"abc")


def test_between_two_requests_there_may_be_more_time(wire: socket.socket) -> None:
    for _ in range(2):
        wire.sendall(REQUEST)
        assert answered(wire) == b"abc"
        time.sleep(2 * SECONDS)


def test_an_answer_comes_in_one_piece(wire: socket.socket) -> None:
    wire.sendall(REQUEST)
    assert wire.recv(1000).endswith(b"\r\n\r\nabc")


def test_the_last_answer_of_a_connection_comes_before_its_end(wire: socket.socket) -> None:
    wire.sendall(REQUEST.replace(b"Host: x", b"Host: x\r\nConnection: close"))
    with wire.makefile("rb") as reply:
        assert reply.read().endswith(b"\r\n\r\nabc")


def test_a_client_that_asks_whether_it_may_send_its_body_is_told_at_once(wire: socket.socket) -> None:
    wire.sendall(REQUEST.replace(b"Host: x", b"Host: x\r\nExpect: 100-continue").removesuffix(b"abc"))
    assert wire.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.sendall(b"abc")
    assert answered(wire) == b"abc"


def test_a_head_that_is_too_long_is_refused(wire: socket.socket) -> None:
    wire.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * http_protocol.MAX_HEAD_BYTES)
    with wire.makefile("rb") as reply:
        said = reply.read()
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.endswith(b"The request is too long.")


def refused(wire: socket.socket, part: bytes) -> bytes:
    """What is said until the connection ends, to a client that goes on and on."""
    with suppress(OSError):
        while True:
            wire.sendall(part)
    with suppress(OSError), wire.makefile("rb") as reply:
        return reply.read()
    return b""


def test_a_head_that_comes_while_another_request_is_answered_is_no_longer_either(wire: socket.socket) -> None:
    wire.settimeout(2 * SECONDS)
    wire.sendall(REQUEST.replace(b" / ", b" /slow "))
    wire.sendall(HEAD)
    before = time.monotonic()
    refused(wire, b"x" * 10_000)
    assert time.monotonic() - before < SECONDS


def test_only_so_many_requests_may_wait_on_a_connection(wire: socket.socket) -> None:
    """And those are answered in their order."""
    wire.sendall(REQUEST * http_protocol.MAX_PIPELINED_REQUESTS)
    with wire.makefile("rb") as reply:
        for _ in range(http_protocol.MAX_PIPELINED_REQUESTS):
            while reply.readline() != b"\r\n":
                pass
            assert reply.read(3) == b"abc"
    wire.sendall(REQUEST.replace(b" / ", b" /slow ") + REQUEST * (http_protocol.MAX_PIPELINED_REQUESTS + 1))
    assert wire.recv(1000).startswith(b"HTTP/1.1 400 ")


def test_what_comes_after_a_body_is_no_header(wire: socket.socket) -> None:
    head = b"POST /trailed HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    wire.sendall(head + b"1\r\na\r\n0\r\nX-Trailed: yes\r\n\r\n")
    assert answered(wire) == b"not"


def test_what_comes_after_a_body_has_an_end(wire: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "BODY_TIMEOUT_SECONDS", PATIENCE)
    monkeypatch.setattr(http_protocol, "MAX_BODY_BYTES", 1_000_000)
    wire.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Long: ")
    before = time.monotonic()
    refused(wire, b"x" * 10_000)
    assert time.monotonic() - before < PATIENCE / 2


@pytest.mark.parametrize("last", [b"", b"\r\nConnection: close"])
def test_a_client_that_does_not_take_its_answer_is_given_up(wire: socket.socket, last: bytes) -> None:
    wire.sendall(REQUEST.replace(b" / ", b" /large ").replace(b"Host: x", b"Host: x" + last))
    time.sleep(4 * SECONDS)
    received = 0
    with suppress(ConnectionError):
        while part := wire.recv(1_000_000):
            received += len(part)
    assert received < LARGE


def test_a_client_that_takes_its_answer_slowly_gets_it(wire: socket.socket) -> None:
    wire.sendall(REQUEST.replace(b" / ", b" /large "))
    time.sleep(SECONDS / 2)
    assert answered(wire, LARGE) == b"x" * LARGE


def test_a_request_that_is_on_its_way_when_the_server_ends_is_answered() -> None:
    with serving() as port:
        wire = socket.create_connection(("127.0.0.1", port), PATIENCE)
        wire.sendall(REQUEST[:20])
        time.sleep(SECONDS / 5)
        threading.Timer(http_protocol.SHUTDOWN_GRACE_SECONDS / 2, wire.sendall, [REQUEST[20:]]).start()
    with wire:
        assert answered(wire) == b"abc"


def test_a_body_is_no_head(wire: socket.socket) -> None:
    body = b"x" * (2 * http_protocol.MAX_HEAD_BYTES)
    wire.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body))
    for start in range(0, len(body), 10_000):
        wire.sendall(body[start : start + 10_000])
    assert answered(wire) == b"xxx"
