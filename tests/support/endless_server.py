"""A server with endless replies, over a real socket."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
PART_BYTES = 65_536

ENDLESS_REPLIES = {
    "a body without a length": (HEAD + b"\r\n", b"x"),
    "a body with a length": (HEAD + b"Content-Length: 99999999999\r\n\r\n", b"x"),
    "an error's body": (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"x"),
    "chunks": (CHUNKED, b"4000\r\n" + b"x" * 0x4000 + b"\r\n"),
    "tiny chunks": (CHUNKED, b"1\r\nx\r\n"),
    "chunks with extensions": (CHUNKED, b"1;" + b"e" * 10_000 + b"\r\nx\r\n"),
    "one chunk extension": (CHUNKED + b"1;", b"e"),
    "a trailer": (CHUNKED + b"0\r\nX-Long: ", b"x"),
    "trailers": (CHUNKED + b"0\r\n", b"a: b\r\n"),
    "a status line": (b"HTTP/1.1 200 ", b"x"),
    "a header": (HEAD + b"X-Long: ", b"x"),
    "headers": (HEAD, b"a: b\r\n"),
    "interim responses": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "interim responses with headers": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
}
"""The beginning of each reply, and the part that is repeated without end."""


@dataclass
class EndlessServer:
    """Replies to every request with `start`, and then with `part` until the client closes the connection."""

    port: int
    start: bytes
    part: bytes
    sent_bytes: int = 0

    def send_reply(self, wire: socket.socket) -> None:
        parts = self.part * (PART_BYTES // len(self.part) + 1)
        with wire, suppress(OSError):
            if wire.recv(65_536):
                wire.sendall(self.start)
                while True:
                    wire.sendall(parts)
                    self.sent_bytes += len(parts)


@contextmanager
def run_endless_server(start: bytes, part: bytes) -> Iterator[EndlessServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = EndlessServer(listener.getsockname()[1], start, part)

        def listen() -> None:
            with suppress(OSError):
                while True:
                    wire, _ = listener.accept()
                    threading.Thread(target=server.send_reply, args=(wire,), daemon=True).start()

        threading.Thread(target=listen, daemon=True).start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
