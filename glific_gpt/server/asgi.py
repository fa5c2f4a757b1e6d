"""Serving: Flask behind uvicorn's event loop. A webhook call that can wait there does; all else has a thread each."""

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

import structlog
from flask import Flask

from glific_gpt import bridge
from glific_gpt.settings import MAX_BODY_BYTES

log = structlog.get_logger()

WEBHOOKS = "/webhooks/"
MOST = MAX_BODY_BYTES + 1
"""Bytes of a body; Flask reads no more."""

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

_Said = tuple[int, list[tuple[str, str]], bytes]

NOTHING: _Said = 500, [], b""
LENGTH = b"content-length"
BODILESS = {204, 304}
"""Statuses without a body, and so without its length (RFC 9110, 8.6)."""


def _do_nothing() -> None: ...


class Serving:
    """Takes requests by ASGI (3.0) and gives them to the app by WSGI (PEP 3333)."""

    def __init__(
        self,
        app: Flask,
        waits_on_loop: Callable[[str], bool],
        threads: int,
        begin: Callable[[], None] = _do_nothing,
        end: Callable[[], None] = _do_nothing,
    ) -> None:
        """`waits_on_loop` says of a webhook's function whether it waits for nothing but its model. `begin` is called
        when the event loop runs, in its thread; `end`, which may take its time, when the last request was answered."""
        self._app = app
        self._waits_on_loop = waits_on_loop
        self._threads = ThreadPoolExecutor(threads, "request")
        self._begin = begin
        self._end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            status, headers, body = await self._reply(scope, receive)
        except (Exception, asyncio.CancelledError) as failure:  # the latter at the end of the server's time
            log.exception("not_served", reason=type(failure).__name__)
            status, headers, body = NOTHING
        encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        if not (scope["method"] == "HEAD" or status in BODILESS or any(name == LENGTH for name, _ in encoded)):
            encoded.append((LENGTH, b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        bridge.use(asyncio.get_running_loop())
        self._begin()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.to_thread(self._end)
        await send({"type": "lifespan.shutdown.complete"})

    async def _reply(self, scope: Scope, receive: Receive) -> _Said:
        environ = _environ(scope, await _body(receive))
        if self._is_for_the_loop(scope):
            return await bridge.run(self._answer, environ)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, environ)

    def _is_for_the_loop(self, scope: Scope) -> bool:
        """Not what hands answers over, which waits for much."""
        path = scope["path"]
        if not path.startswith(WEBHOOKS) or b"mode=" in scope["query_string"]:
            return False
        return self._waits_on_loop(path.rstrip("/").rpartition("/")[2])

    def _answer(self, environ: dict[str, Any]) -> _Said:
        said: list[Any] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _failure: Any = None, /
        ) -> Callable[[bytes], object]:
            said[:] = [int(status.partition(" ")[0]), headers]
            return lambda _: None  # nobody writes by it any more

        parts = self._app(environ, start_response)
        try:
            return said[0], said[1], b"".join(parts)
        finally:
            if hasattr(parts, "close"):
                parts.close()


async def _body(receive: Receive) -> bytes:
    """What has come of a request's body when its time is over or its sender is gone; of one that is too large, enough
    for Flask to see that."""
    body, is_coming = bytearray(), True
    while is_coming and len(body) < MOST:
        message = await receive()
        body += message.get("body", b"")
        is_coming = message.get("more_body", False)
    return bytes(body)


def _environ(scope: Scope, body: bytes) -> dict[str, Any]:
    host, port = scope["server"]
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0] if scope["client"] else "",  # it may be gone already
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        if key := _key(name):
            said = value.decode("latin-1")
            environ[key] = f"{environ[key]},{said}" if key in environ else said
    return environ


@lru_cache(256)
def _key(name: bytes) -> str | None:
    """What WSGI calls a header; None for one that would pass for another, which a proxy has set (as nginx has it)."""
    if b"_" in name:
        return None
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
