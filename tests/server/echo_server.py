"""A server with the product's HTTP protocol and a small app, called over a socket."""

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from uvicorn import Config, Server

from glific_gpt.server.http_protocol import HttpProtocol
from glific_gpt.server.request_bodies import IS_INCOMPLETE

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
TEST_TIMEOUT_SECONDS = 10
LIMIT_SECONDS = 0.5
LARGE_BYTES = 20_000_000


BEGUN: Counter[str] = Counter()
"""Requests that the app has begun, by path."""


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Respond with the request's body. /large sends megabytes, /slow waits, /trailed sends the header X-Trailed.

    /unread is answered before the body is read. The response to an incomplete body is "cut".
    """
    BEGUN[scope["path"]] += 1
    body, is_coming = b"", True
    while is_coming and scope["path"] != "/unread":
        message = await receive()
        body, is_coming = body + message["body"], message["more_body"]
    if scope.get(IS_INCOMPLETE):
        body = b"cut"
    if scope["path"] == "/large":
        body = b"x" * LARGE_BYTES
    elif scope["path"] == "/trailed":
        body = dict(scope["headers"]).get(b"x-trailed", b"not")
    elif scope["path"] == "/slow":
        await asyncio.sleep(4 * LIMIT_SECONDS)
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


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
