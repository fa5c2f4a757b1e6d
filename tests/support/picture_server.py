"""A server of pictures over HTTPS on loopback, reached under a public name."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from glific_gpt.network.http_client import AddressPolicy, Resolver
from glific_gpt.openai.picture_downloads import PictureDownloads
from tests.support.self_signed import LOOPBACK, certificate

HOST = "media.example.org"
JPEG = b"\xff\xd8\xff\xe0" + b"field" * 20


@dataclass
class Page:
    """A response of the server."""

    body: bytes = JPEG
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/octet-stream"})
    seconds: float = 0.0
    """Time before the body."""
    declares_length: bool = True


class PictureServer:
    """Pages by path. Other paths are not found."""

    def __init__(self, port: int, trust: Path) -> None:
        self.url = f"https://{HOST}:{port}"
        self.pages: dict[str, Page] = {"/field.jpg": Page()}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.concurrent = 0
        self.max_concurrent = 0
        self.lock = threading.Lock()
        self._trust = trust

    def downloads(
        self,
        allows: AddressPolicy = lambda _host, _address: True,
        resolve: Resolver = lambda _host, _port: [LOOPBACK],
    ) -> PictureDownloads:
        """Return downloads that trust the server, and find it under each name."""
        context = ssl.create_default_context(cafile=str(self._trust))
        return PictureDownloads(context, allows, resolve)

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self.lock:
            self.concurrent += 1
            self.max_concurrent = max(self.max_concurrent, self.concurrent)
        yield
        with self.lock:
            self.concurrent -= 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    pictures: ClassVar[PictureServer]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        page = self.pictures.pages.get(path, Page(b"", 404))
        self.pictures.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        with self.pictures.counted(), suppress(OSError):
            self.send_response(page.status)
            length = {"content-length": str(len(page.body))} if page.declares_length else {"connection": "close"}
            for name, value in (length | page.headers).items():
                self.send_header(name, value)
            self.end_headers()
            time.sleep(page.seconds)
            self.wfile.write(page.body)

    def log_message(self, *_arguments: object) -> None: ...


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100

    def handle_error(self, *_arguments: object) -> None: ...


@contextmanager
def run_picture_server(folder: Path) -> Iterator[PictureServer]:
    path = certificate(folder, HOST)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server = _Server((LOOPBACK, 0), _Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    pictures = PictureServer(server.server_port, path)
    server.RequestHandlerClass = type("Handler", (_Handler,), {"pictures": pictures})
    serve: Callable[[], None] = server.serve_forever
    threading.Thread(target=serve, daemon=True).start()
    try:
        yield pictures
    finally:
        server.shutdown()
        server.server_close()
