"""A call of the WSGI app (PEP 3333), and its complete response."""

from collections.abc import Callable
from typing import Any, NamedTuple

from flask import Flask

from glific_gpt.server.response_files import ResponseFile, collect

CONTENT_LENGTH = b"content-length"
BODILESS_STATUSES = {204, 304}
"""Statuses without a body, and so without Content-Length (RFC 9110, 8.6)."""


class Response(NamedTuple):
    """A response whose body is in memory or in a file."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes | ResponseFile

    def start_message(self, method: str) -> dict[str, Any]:
        """Return ASGI's message that begins the response to a request with this method."""
        # The ASGI specification requires header names in lower case.
        encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self.headers]
        has_body = method != "HEAD" and self.status not in BODILESS_STATUSES
        if has_body and not any(name == CONTENT_LENGTH for name, _ in encoded):
            size = self.body.size if isinstance(self.body, ResponseFile) else len(self.body)
            encoded.append((CONTENT_LENGTH, b"%d" % size))
        return {"type": "http.response.start", "status": self.status, "headers": encoded}


def call(app: Flask, environ: dict[str, Any], client: str | None) -> Response:
    """Call the app. A large body is collected in a file, which counts for the network of the client.

    Without a client the body stays in memory: the event loop must not wait for a file. Raises TooManyFiles.
    """
    started: list[Any] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], _exc_info: Any = None, /
    ) -> Callable[[bytes], object]:
        # PEP 3333 allows a second call, which replaces the first one after an error.
        started[:] = [int(status.partition(" ")[0]), headers]
        return lambda _: None  # PEP 3333's write(), which Flask does not use

    parts = app(environ, start_response)
    try:
        body = b"".join(parts) if client is None else collect(parts, client)
        return Response(started[0], started[1], body)
    finally:
        if hasattr(parts, "close"):
            parts.close()  # required by PEP 3333: Flask's call_on_close functions run in it
