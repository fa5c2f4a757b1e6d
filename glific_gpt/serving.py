"""Serving: Flask behind Granian's event loop. A webhook call that can wait there does; all else has a thread each."""

import asyncio
import io
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import structlog
from flask import Flask
from granian._granian import RSGIHTTPProtocol, RSGIProtocolClosed
from granian.rsgi import Scope

from glific_gpt import waiting
from glific_gpt.settings import MAX_BODY_BYTES

log = structlog.get_logger()

WEBHOOKS = "/webhooks/"
BODY_SECONDS = 5.0
"""How long the body of a webhook may take to arrive: Glific gives up after that, and others are strangers."""
PATIENT_BODY_SECONDS = 60.0
"""The same for everybody else: people send files over slow lines."""
MOST = MAX_BODY_BYTES + 1
"""Bytes of a body; Flask reads no more."""

_Said = tuple[int, list[tuple[str, str]], bytes]


class Serving:
    """Takes requests by RSGI, Granian's protocol, and gives them to the app by WSGI (PEP 3333)."""

    def __init__(self, app: Flask, waits_on_loop: Callable[[str], bool], threads: int) -> None:
        """`waits_on_loop` says of a webhook's function whether it waits for nothing but its model."""
        self._app = app
        self._waits_on_loop = waits_on_loop
        self._threads = ThreadPoolExecutor(threads, "request")

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting.use(loop)

    async def __rsgi__(self, scope: Scope, protocol: RSGIHTTPProtocol) -> None:
        try:
            await self._reply(scope, protocol)
        except Exception as failure:
            log.exception("not_served", reason=type(failure).__name__)
            protocol.response_empty(500, [])

    async def _reply(self, scope: Scope, protocol: RSGIHTTPProtocol) -> None:
        environ = _environ(scope, await _body(scope, protocol))
        if self._is_for_the_loop(scope):
            status, headers, body = await waiting.run(self._answer, environ)
        else:
            loop = asyncio.get_running_loop()
            status, headers, body = await loop.run_in_executor(self._threads, self._answer, environ)
        protocol.response_bytes(status, headers, body)

    def _is_for_the_loop(self, scope: Scope) -> bool:
        """Not what hands answers over, which waits for much."""
        if not scope.path.startswith(WEBHOOKS) or "mode=" in scope.query_string:
            return False
        return self._waits_on_loop(scope.path.rstrip("/").rpartition("/")[2])

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


async def _body(scope: Scope, protocol: RSGIHTTPProtocol) -> bytes:
    """What has come of a request's body when its time is over or its sender is gone; of one that is too large, enough
    for Flask to see that."""
    body = bytearray()
    if "content-length" in scope.headers or "transfer-encoding" in scope.headers:
        with suppress(TimeoutError, RSGIProtocolClosed):
            async with asyncio.timeout(BODY_SECONDS if scope.path.startswith(WEBHOOKS) else PATIENT_BODY_SECONDS):
                async for part in protocol:
                    body += part
                    if len(body) > MOST:
                        break
    return bytes(body)


def _environ(scope: Scope, body: bytes) -> dict[str, Any]:
    host, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        key = name.upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    if scope.authority:  # where HTTP/2 has the host
        environ.setdefault("HTTP_HOST", scope.authority)
    return environ
