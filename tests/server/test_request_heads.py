"""Heads that a proxy and this server could understand in different ways are refused."""

import socket
from collections.abc import Callable, Iterator

import pytest

from tests.server.echo_server import TEST_TIMEOUT_SECONDS, serving

POST = b"POST / HTTP/1.1\r\n"
HOST = b"Host: x.example\r\n"
LENGTH = b"Content-Length: 3\r\n"
BODY = b"\r\nabc"
CHUNKED = b"\r\n3\r\nabc\r\n0\r\n\r\n"

ACCEPTED = {
    "an ordinary request": POST + HOST + LENGTH + BODY,
    "a port": POST + b"Host: x.example:8000\r\n" + LENGTH + BODY,
    "a name with a dot at its end": POST + b"Host: x.example.\r\n" + LENGTH + BODY,
    "a label of 63 characters": POST + b"Host: %b.example\r\n" % (63 * b"x") + LENGTH + BODY,
    "an IPv6 address": POST + b"Host: [::1]:8000\r\n" + LENGTH + BODY,
    "chunks": POST + HOST + b"Transfer-Encoding: Chunked\r\n" + CHUNKED,
    "HTTP/1.0 without Host": b"POST / HTTP/1.0\r\n" + LENGTH + BODY,
    "an absolute target": b"POST http://X.example/ HTTP/1.1\r\n" + HOST + LENGTH + BODY,
}
REFUSED = {
    "no Host": POST + LENGTH + BODY,
    "two Hosts": POST + HOST + b"Host: y.example\r\n" + LENGTH + BODY,
    "the same Host twice": POST + HOST + HOST + LENGTH + BODY,
    "two Hosts in HTTP/1.0": b"POST / HTTP/1.0\r\n" + HOST + HOST + LENGTH + BODY,
    "an empty Host": POST + b"Host:\r\n" + LENGTH + BODY,
    "a list of Hosts": POST + b"Host: x.example, y.example\r\n" + LENGTH + BODY,
    "a Host with a path": POST + b"Host: x.example/y\r\n" + LENGTH + BODY,
    "a Host with an empty label": POST + b"Host: x..example\r\n" + LENGTH + BODY,
    "a Host with a label of 64 characters": POST + b"Host: %b.example\r\n" % (64 * b"x") + LENGTH + BODY,
    "a Host with a user": POST + b"Host: y@x.example\r\n" + LENGTH + BODY,
    "an absolute target of another host": b"POST http://y.example/ HTTP/1.1\r\n" + HOST + LENGTH + BODY,
    "an absolute target of another port": b"POST http://x.example:81/ HTTP/1.1\r\n" + HOST + LENGTH + BODY,
    "an absolute target with a user": b"POST http://a@x.example/ HTTP/1.1\r\n" + HOST + LENGTH + BODY,
    "another scheme": b"POST ftp://x.example/ HTTP/1.1\r\n" + HOST + LENGTH + BODY,
    "an asterisk": b"POST * HTTP/1.1\r\n" + HOST + LENGTH + BODY,
    "CONNECT": b"CONNECT x.example:80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a folded line": POST + HOST + b"X-A: a\r\n b\r\n" + LENGTH + BODY,
    "a folded Host": POST + b"Host: x.example\r\n y\r\n" + LENGTH + BODY,
    "two lengths": POST + HOST + LENGTH + b"Content-Length: 4\r\n" + BODY,
    "a list of lengths": POST + HOST + b"Content-Length: 3, 3\r\n" + BODY,
    "a length with a sign": POST + HOST + b"Content-Length: +3\r\n" + BODY,
    "a length and chunks": POST + HOST + LENGTH + b"Transfer-Encoding: chunked\r\n" + CHUNKED,
    "chunks and a length": POST + HOST + b"Transfer-Encoding: chunked\r\n" + LENGTH + CHUNKED,
    "chunks twice": POST + HOST + 2 * b"Transfer-Encoding: chunked\r\n" + CHUNKED,
    "compressed chunks": POST + HOST + b"Transfer-Encoding: gzip, chunked\r\n" + CHUNKED,
    "an unknown encoding": POST + HOST + b"Transfer-Encoding: xchunked\r\n" + CHUNKED,
    "chunks in HTTP/1.0": b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n" + CHUNKED,
    "a space before the colon": POST + HOST + b"Content-Length : 3\r\n" + BODY,
    "line feeds alone": (POST + HOST + LENGTH + BODY).replace(b"\r\n", b"\n"),
    "a NUL": POST + HOST + b"X-A: a\x00b\r\n" + LENGTH + BODY,
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/2.0": b"POST / HTTP/2.0\r\n" + HOST + LENGTH + BODY,
    "an upgrade": POST + HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n" + LENGTH + BODY,
    "a wrong chunk": POST + HOST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
}


@pytest.fixture(scope="module")
def first_line() -> Iterator[Callable[[bytes], bytes]]:
    """Send a request over a new connection, and return the first line of the response."""
    with serving() as port:

        def send(request: bytes) -> bytes:
            with socket.create_connection(("127.0.0.1", port), TEST_TIMEOUT_SECONDS) as wire:
                wire.sendall(request)
                with wire.makefile("rb") as reply:
                    return reply.readline()

        yield send


@pytest.mark.parametrize("request_bytes", ACCEPTED.values(), ids=list(ACCEPTED))
def test_an_unambiguous_head_is_accepted(first_line: Callable[[bytes], bytes], request_bytes: bytes) -> None:
    assert first_line(request_bytes) == b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("request_bytes", REFUSED.values(), ids=list(REFUSED))
def test_an_ambiguous_head_is_refused(first_line: Callable[[bytes], bytes], request_bytes: bytes) -> None:
    assert first_line(request_bytes) == b"HTTP/1.1 400 Bad Request\r\n"
