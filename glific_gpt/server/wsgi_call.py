"""A call of the WSGI app (PEP 3333), and its complete response."""

from collections.abc import Callable
from typing import Any, NamedTuple

from flask import Flask

from glific_gpt.server.response_files import ResponseFile, collect


class Response(NamedTuple):
    """A response whose body is in memory or in a file."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes | ResponseFile


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
