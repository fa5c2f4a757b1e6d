"""Connections to OpenAI: used again while they are open, and every end of a reply is told from another."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx2
import pytest

from glific_gpt import bridge
from glific_gpt.openai.connections import Connections, Reply

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def server(*replies: bytes, then_closes: bool = False) -> Iterator[tuple[Connections, list[int]]]:
    """Answers each request with the next reply; and the number of the connection of each request."""
    asked: list[int] = []
    left = list(replies)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer(wire: socket.socket, number: int) -> None:
            with wire, suppress(OSError):
                while left and wire.recv(65536):
                    asked.append(number)
                    wire.sendall(left.pop(0))
                    if then_closes:
                        return

        def listen() -> None:
            with suppress(OSError):
                for number in range(10):
                    wire, _ = listener.accept()
                    threading.Thread(target=answer, args=(wire, number), daemon=True).start()

        threading.Thread(target=listen, daemon=True).start()
        yield Connections(f"http://127.0.0.1:{listener.getsockname()[1]}/v1"), asked
        listener.shutdown(socket.SHUT_RDWR)


def ask(connections: Connections, seconds: float = 5.0) -> Reply:
    return bridge.wait_for(connections.ask("POST", b"/v1/x", [(b"Host", b"x")], b"{}", seconds))


def test_a_connection_is_used_again() -> None:
    with server(OK, OK, OK) as (connections, asked):
        assert [bytes(ask(connections).body) for _ in range(3)] == [b"{}"] * 3
        assert asked == [0, 0, 0]


def test_one_that_was_closed_meanwhile_is_not() -> None:
    with server(OK, OK, then_closes=True) as (connections, asked):
        ask(connections)
        time.sleep(0.2)
        ask(connections)
        assert asked == [0, 1]


def test_one_that_is_to_be_closed_is_not() -> None:
    closing = OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")
    with server(closing, OK) as (connections, asked):
        ask(connections)
        ask(connections)
        assert asked == [0, 1]


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"{}"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n", b"[1]"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
    ],
    ids=["after a first word", "in chunks", "until it closes"],
)
def test_it_reads_a_reply_however_long_it_says_it_is(said: bytes, body: bytes) -> None:
    with server(said, then_closes=True) as (connections, _):
        assert bytes(ask(connections).body) == body


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"", httpx2.ConnectError),
        (b"HTTP/1.1 200 O", httpx2.DecodingError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", httpx2.DecodingError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", httpx2.DecodingError),
        (b"no HTTP at all\r\n\r\n", httpx2.DecodingError),
    ],
    ids=["nothing", "half a head", "half a body", "half a chunk", "something else"],
)
def test_it_tells_nothing_heard_from_a_reply_that_broke_off(said: bytes, error: type[Exception]) -> None:
    with server(said, then_closes=True) as (connections, _), pytest.raises(error):
        ask(connections)


def test_nobody_listening_is_nothing_heard() -> None:
    with pytest.raises(httpx2.ConnectError):
        ask(Connections("http://127.0.0.1:1/v1"))


def test_silence_ends_with_the_time_that_the_call_has() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        before = time.monotonic()
        with pytest.raises(httpx2.ReadTimeout):
            ask(Connections(f"http://127.0.0.1:{silent.getsockname()[1]}/v1"), 0.3)
        assert time.monotonic() - before < 2
