"""Connections of clients: limits of requests, and the sending of responses, over a socket."""

import socket
import struct
import threading
import time
from contextlib import suppress

import pytest

from glific_gpt.server import http_protocol, request_heads
from glific_gpt.server.http_protocol import HttpProtocol
from tests.server.echo_server import (
    LIMIT_SECONDS,
    REQUEST,
    TEST_TIMEOUT_SECONDS,
    read_body,
    serving,
)


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


@pytest.mark.parametrize("path", [b"/", b"/webhooks/alice/f", b"//webhooks/alice/f", b"/%2Fweb%68ooks/alice/f"])
@pytest.mark.parametrize("limit", ["WEBHOOK_BODY_TIMEOUT_SECONDS", "BODY_TIMEOUT_SECONDS"])
def test_a_body_that_arrives_too_slowly_is_incomplete(
    wire: socket.socket, monkeypatch: pytest.MonkeyPatch, path: bytes, limit: str
) -> None:
    """Webhooks have their own limit."""
    monkeypatch.setattr(http_protocol, limit, TEST_TIMEOUT_SECONDS)
    wire.sendall(REQUEST.replace(b" / ", b" %s " % path)[:-1])
    time.sleep(2 * LIMIT_SECONDS)
    is_cut = (limit == "BODY_TIMEOUT_SECONDS") is (path != b"/")
    wire.sendall(b"c")
    assert read_body(wire) == (b"cut" if is_cut else b"abc")


def test_a_body_that_ends_early_is_incomplete_immediately(wire: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "BODY_TIMEOUT_SECONDS", 2 * TEST_TIMEOUT_SECONDS)
    wire.sendall(REQUEST[:-1])
    wire.shutdown(socket.SHUT_WR)
    assert read_body(wire) == b"cut"
    assert wire.recv(1) == b""


def test_a_body_that_arrives_in_time_is_complete(wire: socket.socket) -> None:
    wire.sendall(REQUEST[:-1])
    time.sleep(LIMIT_SECONDS / 2)
    wire.sendall(REQUEST[-1:])
    assert read_body(wire) == b"abc"


def test_the_limit_of_a_head_does_not_apply_to_many_requests_together(wire: socket.socket) -> None:
    for _ in range(2 * http_protocol.MAX_HEAD_BYTES // len(REQUEST)):
        wire.sendall(REQUEST)
        assert wire.recv(1000).endswith(b"abc")


def test_the_limit_of_a_head_applies_to_each_pipelined_request(wire: socket.socket) -> None:
    head = b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * (http_protocol.MAX_HEAD_BYTES // 2)
    for _ in range(2):
        wire.sendall(REQUEST.replace(b" / ", b" /slow "))
        for part in (head, b"\r\n\r\n"):
            time.sleep(LIMIT_SECONDS / 10)  # each part arrives alone, while the first request is being answered
            wire.sendall(part)
        received = b""
        while received.count(b" 200 OK") < 2:
            part = wire.recv(10_000)
            assert part, received
            received += part


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
    assert response.startswith(b"HTTP/1.1 431 ")
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
    assert time.monotonic() - before < 3 * LIMIT_SECONDS  # before the response to the first request


@pytest.mark.parametrize(
    ("number", "status"), [(http_protocol.MAX_HEADERS, b"200"), (http_protocol.MAX_HEADERS + 1, b"400")]
)
def test_the_number_of_headers_is_limited(wire: socket.socket, number: int, status: bytes) -> None:
    wire.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a:\r\n" * (number - 1) + b"\r\n")
    with wire.makefile("rb") as reply:
        assert reply.readline().split()[1] == status


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


CHUNKED_HEAD = b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("number", "status"), [(http_protocol.MAX_CHUNKS, b"200"), (http_protocol.MAX_CHUNKS + 1, b"400")]
)
def test_the_number_of_chunks_is_limited(wire: socket.socket, number: int, status: bytes) -> None:
    # The chunk that ends the body counts too.
    wire.sendall(CHUNKED_HEAD % b"/" + b"1\r\na\r\n" * (number - 1) + b"0\r\n\r\n")
    with wire.makefile("rb") as reply:
        assert reply.readline().split()[1] == status


def test_the_rest_of_a_body_that_was_not_read_is_limited(wire: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "BODY_TIMEOUT_SECONDS", 2 * TEST_TIMEOUT_SECONDS)
    monkeypatch.setattr(http_protocol, "MAX_BODY_BYTES", 1_000_000)
    wire.sendall(b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\n")
    before = time.monotonic()
    assert read_body(wire, 0) == b""
    send_until_closed(wire, b"x" * 10_000)
    assert time.monotonic() - before < TEST_TIMEOUT_SECONDS


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


@pytest.mark.parametrize("sent", [REQUEST[:-1], REQUEST.replace(b" / ", b" /large ")])
def test_a_lost_connection_leaves_no_timer(wire: socket.socket, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    """A timer would keep the connection in memory: that of an incomplete request, or of a response that waits."""
    for limit in ("http_protocol.BODY_TIMEOUT_SECONDS", "response_writer.WRITE_TIMEOUT_SECONDS"):
        monkeypatch.setattr(f"glific_gpt.server.{limit}", 60 * TEST_TIMEOUT_SECONDS)
    timers: list[object] = []
    lose, is_lost = HttpProtocol.connection_lost, threading.Event()

    def lose_and_record(protocol: HttpProtocol, exc: Exception | None) -> None:
        lose(protocol, exc)
        timers.extend((protocol._read_timeout, protocol._writer._write_timeout))
        is_lost.set()

    monkeypatch.setattr(HttpProtocol, "connection_lost", lose_and_record)
    wire.sendall(sent)
    if b"/large" in sent:
        assert wire.recv(10)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # `close` resets the connection
    wire.close()
    assert is_lost.wait(TEST_TIMEOUT_SECONDS)
    assert timers == [None, None]


def test_an_idle_connection_is_closed_soon_on_shutdown() -> None:
    with serving() as port:
        wire = socket.create_connection(("127.0.0.1", port), TEST_TIMEOUT_SECONDS)
        wire.sendall(REQUEST)
        assert read_body(wire) == b"abc"
    # Here the server has ended.
    assert wire.recv(1) == b""
    wire.close()


def test_a_request_on_an_idle_connection_during_shutdown_is_answered_and_says_that_it_closes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_protocol, "SHUTDOWN_GRACE_SECONDS", TEST_TIMEOUT_SECONDS)
    with serving() as port:
        wire = socket.create_connection(("127.0.0.1", port), TEST_TIMEOUT_SECONDS)
        wire.sendall(REQUEST)
        assert read_body(wire) == b"abc"
        threading.Timer(TEST_TIMEOUT_SECONDS / 4, wire.sendall, [REQUEST]).start()
        before = time.monotonic()
    assert time.monotonic() - before < TEST_TIMEOUT_SECONDS  # the response ends the connection, and not the grace
    with wire, wire.makefile("rb") as reply:
        response = reply.read()
    assert b"connection: close" in response.lower()
    assert response.endswith(b"abc")


def refusal(wire: socket.socket, target: str) -> tuple[str, str]:
    """Send a request with this target, and return the status line and the text of the response."""
    wire.sendall(f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc".encode())
    with wire.makefile("rb") as reply:
        head, _, body = reply.read().decode().partition("\r\n\r\n")
    return head.split("\r\n")[0], body


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("/webhooks/alice/parse_via_chat_gpt?q=what is ors", request_heads.SPACE_IN_URL),
        ("/?n=1 2", request_heads.SPACE_IN_URL),
        ("/a b", request_heads.SPACE_IN_URL),
        ("/webhooks/alice/parse_via_chat_gpt?q=ओआरएस", request_heads.INVALID_URL),
        ("/?name=Zoë", request_heads.INVALID_URL),
        ("/?q=😀", request_heads.INVALID_URL),
        ("/سوال", request_heads.INVALID_URL),
        ("/?q=a\tb", request_heads.INVALID_URL),
        ("/?q=ओआरएस क्या है", request_heads.INVALID_URL),
    ],
)
def test_a_refused_url_is_explained(wire: socket.socket, target: str, reason: str) -> None:
    assert refusal(wire, target) == ("HTTP/1.1 400 Bad Request", reason)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("POST /x FTP/1.1", request_heads.HTTP_VERSION),
        ("POST /x HTTPS/1.1", request_heads.HTTP_VERSION),
        ("POST /x http/1.1", request_heads.HTTP_VERSION),
        ("POST /x HTTP 1.1", request_heads.HTTP_VERSION),
        ("POST /x HTTP/9.9", request_heads.HTTP_VERSION),
        ("POST /x HTTP/1", request_heads.HTTP_VERSION),
        ("POST /x HTTP/x.1", request_heads.HTTP_VERSION),
        ("POST /x  FTP/1.1", request_heads.HTTP_VERSION),
        ("POST /x FTP/1.1 HTTP/1.1", request_heads.SPACE_IN_URL),
        ("POST /a b FTP/1.1", request_heads.SPACE_IN_URL),
        ("POST /a b", request_heads.SPACE_IN_URL),
        ("POST / / HTTP/1.1", request_heads.SPACE_IN_URL),
    ],
)
@pytest.mark.parametrize("before", ["", "GET /x HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_another_version_of_http_is_explained(wire: socket.socket, before: str, line: str, reason: str) -> None:
    wire.sendall(f"{before}{line}\r\nHost: x\r\n\r\n".encode())
    with wire.makefile("rb") as reply:
        text = reply.read().decode()
    assert text.endswith(f"\r\n\r\n{reason}")


def test_an_encoded_url_is_answered(wire: socket.socket) -> None:
    wire.sendall(REQUEST.replace(b" / ", b" /?q=what%20is%20%E0%A4%93 "))
    assert read_body(wire) == b"abc"


def test_other_invalid_requests_are_not_blamed_on_the_url(wire: socket.socket) -> None:
    wire.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n")
    assert b"The URL" not in wire.recv(1000)
