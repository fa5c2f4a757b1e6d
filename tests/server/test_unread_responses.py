"""Responses that a client reads slowly or not at all: their time-out, and the limit of their memory."""

import socket
import time
from collections import Counter
from contextlib import ExitStack, suppress

import pytest

from glific_gpt.server.options import DEFAULT_OPTIONS
from glific_gpt.server.unsent_bytes import UnsentBytes
from tests.server.echo_server import (
    BEGUN,
    LARGE_BYTES,
    LIMIT_SECONDS,
    REQUEST,
    read_body,
    serving,
)


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
    time.sleep(LIMIT_SECONDS / 5)  # a busy machine needs the rest
    assert read_body(wire, LARGE_BYTES) == b"x" * LARGE_BYTES
    time.sleep(2 * LIMIT_SECONDS)  # the time-out of the response must have ended with it
    wire.sendall(REQUEST)
    assert read_body(wire) == b"abc"


def test_the_next_pipelined_request_begins_when_the_client_has_read_the_response(wire: socket.socket) -> None:
    begun_before = BEGUN.copy()
    wire.sendall(REQUEST.replace(b" / ", b" /large ") + REQUEST.replace(b" / ", b" /second "))
    time.sleep(LIMIT_SECONDS / 5)  # a busy machine needs the rest
    assert BEGUN - begun_before == Counter({"/large": 1})
    with wire.makefile("rb") as reply:
        for body in (b"x" * LARGE_BYTES, b"abc"):
            while reply.readline() != b"\r\n":
                pass
            assert reply.read(len(body)) == body
    assert BEGUN - begun_before == Counter({"/large": 1, "/second": 1})


def test_beyond_the_limit_of_unsent_bytes_the_client_with_the_most_is_disconnected() -> None:
    aborted: list[str] = []
    unsent = UnsentBytes(100)

    def add(name: str, address: str, size: int) -> None:
        unsent.add(name, address, size, lambda: aborted.append(name))

    add("other", "192.0.2.1", 40)
    add("first", "2001:db8::1", 20)
    add("second", "2001:db8::2", 30)
    assert aborted == []
    add("third", "2001:db8::3", 25)
    assert aborted == ["first"]  # of the network with 75 bytes, the one that has waited longest
    unsent.remove("first")
    unsent.remove("second")
    add("fourth", "2001:db8::4", 30)
    assert aborted == ["first"]
    add("fifth", "192.0.2.7", 101)
    assert aborted[1:] == ["fifth"]


def test_a_client_that_does_not_read_is_disconnected_when_the_memory_is_used_up(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving() as port, ExitStack() as stack:
        monkeypatch.setattr(DEFAULT_OPTIONS.unsent_bytes, "_limit", LARGE_BYTES * 3 // 2)
        first, second = (stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(2))
        for wire in (first, second):
            wire.sendall(REQUEST.replace(b" / ", b" /large "))
            time.sleep(0.1)
        assert read_body(second, LARGE_BYTES) == b"x" * LARGE_BYTES
        received = 0
        with suppress(ConnectionError):
            while part := first.recv(1_000_000):
                received += len(part)
        assert received < LARGE_BYTES
    assert "slow_reader_disconnected" in "".join(capfd.readouterr())
