"""The connection pool: reuse of open connections, and detection of every kind of incomplete reply."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx2
import pytest

from glific_gpt import bridge
from glific_gpt.openai.connections import ConnectionPool, HttpResponse

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def server(*replies: bytes, closes: bool = False) -> Iterator[tuple[ConnectionPool, list[int]]]:
    """Answer each request with the next reply. Yield the pool and the connection number of each request."""
    used: list[int] = []
    pending = list(replies)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve(wire: socket.socket, number: int) -> None:
            with wire, suppress(OSError):
                while pending and wire.recv(65536):
                    used.append(number)
                    wire.sendall(pending.pop(0))
                    if closes:
                        return

        def listen() -> None:
            with suppress(OSError):
                for number in range(10):
                    wire, _ = listener.accept()
                    threading.Thread(target=serve, args=(wire, number), daemon=True).start()

        threading.Thread(target=listen, daemon=True).start()
        yield ConnectionPool(f"http://127.0.0.1:{listener.getsockname()[1]}/v1"), used
        listener.shutdown(socket.SHUT_RDWR)


def post(pool: ConnectionPool, timeout_seconds: float = 5.0) -> HttpResponse:
    return bridge.await_(pool.request("POST", b"/v1/x", [(b"Host", b"x")], b"{}", timeout_seconds))


def test_an_open_connection_is_reused() -> None:
    with server(OK, OK, OK) as (pool, used):
        assert [bytes(post(pool).body) for _ in range(3)] == [b"{}"] * 3
        assert used == [0, 0, 0]


def test_a_connection_that_the_server_closed_is_not_reused() -> None:
    with server(OK, OK, closes=True) as (pool, used):
        post(pool)
        time.sleep(0.2)
        post(pool)
        assert used == [0, 1]


def test_a_connection_with_connection_close_is_not_reused() -> None:
    closing = OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")
    with server(closing, OK) as (pool, used):
        post(pool)
        post(pool)
        assert used == [0, 1]


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"{}"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n", b"[1]"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
    ],
    ids=["after an interim response", "chunked", "until the connection closes"],
)
def test_it_reads_every_kind_of_message_length(sent: bytes, body: bytes) -> None:
    with server(sent, closes=True) as (pool, _):
        assert bytes(post(pool).body) == body


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"", httpx2.ConnectError),
        (b"HTTP/1.1 200 O", httpx2.DecodingError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", httpx2.DecodingError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", httpx2.DecodingError),
        (b"no HTTP at all\r\n\r\n", httpx2.DecodingError),
    ],
    ids=["no reply", "incomplete headers", "incomplete body", "incomplete chunk", "not HTTP"],
)
def test_a_missing_reply_and_an_incomplete_reply_raise_different_errors(sent: bytes, error: type[Exception]) -> None:
    with server(sent, closes=True) as (pool, _), pytest.raises(error):
        post(pool)


def test_a_refused_connection_raises_connect_error() -> None:
    with pytest.raises(httpx2.ConnectError):
        post(ConnectionPool("http://127.0.0.1:1/v1"))


def test_a_silent_server_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        before = time.monotonic()
        with pytest.raises(httpx2.ReadTimeout):
            post(ConnectionPool(f"http://127.0.0.1:{silent.getsockname()[1]}/v1"), 0.3)
        assert time.monotonic() - before < 2
