"""The bridge from uvicorn (ASGI 3.0) to Flask (WSGI, PEP 3333).

A webhook call that waits for nothing but its model runs on the event loop. Every other request runs in a thread.
"""

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

import structlog
from flask import Flask

from glific_gpt import bridge
from glific_gpt.settings import FORM_OVERHEAD_BYTES, MAX_BODY_BYTES, MAX_FILE_BYTES

log = structlog.get_logger()

WEBHOOKS = "/webhooks/"
CONSOLE = "/console/"
MAX_READ_BYTES = MAX_BODY_BYTES + 1
"""Bytes of a body that are read: one over the limit, so that Flask notices a body that is too large."""
MAX_CONSOLE_READ_BYTES = MAX_FILE_BYTES + FORM_OVERHEAD_BYTES + 1
"""The same for the console, where people upload flow files."""

CONTENT_LENGTH = b"content-length"
BODILESS_STATUSES = {204, 304}
"""Statuses without a body, and so without Content-Length (RFC 9110, 8.6)."""

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class _Response(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes


EMPTY_500 = _Response(500, [], b"")


def _do_nothing() -> None: ...


class AsgiBridge:
    """Receives requests as an ASGI app, and passes them to Flask as WSGI calls."""

    def __init__(
        self,
        app: Flask,
        runs_on_loop: Callable[[str], bool],
        threads: int,
        on_startup: Callable[[], None] = _do_nothing,
        on_shutdown: Callable[[], None] = _do_nothing,
    ) -> None:
        """Create a bridge.

        `runs_on_loop` tells whether a webhook's function waits for nothing but its model. `on_startup` is called in
        the thread of the running event loop. `on_shutdown` may block, and is called after the last response.
        """
        self._app = app
        self._runs_on_loop = runs_on_loop
        self._threads = ThreadPoolExecutor(threads, "request")
        self._on_startup = on_startup
        self._on_shutdown = on_shutdown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._run_lifespan(receive, send)
        else:
            await self._serve(scope, receive, send)

    async def _run_lifespan(self, receive: Receive, send: Send) -> None:
        await receive()  # lifespan.startup
        bridge.set_loop(asyncio.get_running_loop())
        self._on_startup()
        await send({"type": "lifespan.startup.complete"})
        await receive()  # lifespan.shutdown, which uvicorn sends after the last response
        # In a thread: the worker that ends here still needs the loop, which runs its exchanges with OpenAI.
        await asyncio.to_thread(self._on_shutdown)
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            status, headers, body = await self._respond(scope, receive)
        except (Exception, asyncio.CancelledError) as failure:  # uvicorn cancels after the shutdown time-out
            log.exception("request_failed", reason=type(failure).__name__)
            status, headers, body = EMPTY_500
        # The ASGI specification requires header names in lower case.
        encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        has_body = scope["method"] != "HEAD" and status not in BODILESS_STATUSES
        if has_body and not any(name == CONTENT_LENGTH for name, _ in encoded):
            encoded.append((CONTENT_LENGTH, b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": body})

    async def _respond(self, scope: Scope, receive: Receive) -> _Response:
        # The body is read before Flask runs, so that no slot or thread is held while a slow client sends.
        limit = MAX_CONSOLE_READ_BYTES if scope["path"].startswith(CONSOLE) else MAX_READ_BYTES
        environ = _environ(scope, await _read_body(receive, limit))
        if self._is_for_loop(scope):
            return await bridge.run(self._call_app, environ)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._call_app, environ)

    def _is_for_loop(self, scope: Scope) -> bool:
        """Calls with a mode run in threads, because deferring an answer blocks on the engine and the database."""
        path = scope["path"]
        if not path.startswith(WEBHOOKS) or b"mode=" in scope["query_string"]:
            return False
        return self._runs_on_loop(path.rstrip("/").rpartition("/")[2])

    def _call_app(self, environ: dict[str, Any]) -> _Response:
        started: list[Any] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _exc_info: Any = None, /
        ) -> Callable[[bytes], object]:
            # PEP 3333 allows a second call, which replaces the first one after an error.
            started[:] = [int(status.partition(" ")[0]), headers]
            return lambda _: None  # PEP 3333's write(), which Flask does not use

        parts = self._app(environ, start_response)
        try:
            return _Response(started[0], started[1], b"".join(parts))
        finally:
            if hasattr(parts, "close"):
                parts.close()  # required by PEP 3333: Flask's call_on_close functions run in it


async def _read_body(receive: Receive, limit: int) -> bytes:
    """Return the body, or its first part: reading stops after `limit` bytes, and when the client disconnects.

    The part can be longer than `limit` by one chunk.
    """
    body, has_more = bytearray(), True
    while has_more and len(body) < limit:
        message = await receive()
        body += message.get("body", b"")
        has_more = message.get("more_body", False)
    return bytes(body)


def _environ(scope: Scope, body: bytes) -> dict[str, Any]:
    host, port = scope["server"]
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        # PEP 3333 requires the bytes of the path as latin-1. They are in raw_path only: in scope["path"], uvicorn has
        # replaced bytes that are not UTF-8.
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0] if scope["client"] else "",  # None once the client has disconnected
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        # Without this key, Werkzeug reads an empty body from a chunked request.
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        if key := _environ_key(name):
            text = value.decode("latin-1")
            # A header that was sent several times is one list (RFC 9110, 5.3).
            environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ


@lru_cache(256)  # bounded, because clients choose the names
def _environ_key(name: bytes) -> str | None:
    """Return WSGI's name of a header; None for a name with an underscore.

    WSGI cannot tell X_Forwarded_For from X-Forwarded-For, which only a proxy may set. nginx drops such headers too.
    """
    if b"_" in name:
        return None
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
