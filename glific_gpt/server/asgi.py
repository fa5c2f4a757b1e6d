"""The bridge from uvicorn (ASGI 3.0) to Flask (WSGI, PEP 3333).

A webhook call runs on the event loop. Every other request runs in a thread.
"""

import asyncio
import io
import time
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask

from glific_gpt.clock import now
from glific_gpt.network import ip_addresses
from glific_gpt.runtime import bridge, call_context, cpu_bound, event_loop
from glific_gpt.runtime.fair_slots import FairSlots
from glific_gpt.runtime.fair_threads import ThreadTimeout
from glific_gpt.runtime.file_descriptors import FileDescriptorMonitor
from glific_gpt.server import wsgi_call
from glific_gpt.server.known_callers import UNKNOWN, KnownCallers
from glific_gpt.server.options import ABORT, DEFAULT_OPTIONS, ServerOptions
from glific_gpt.server.request_bodies import HAS_ARRIVED, BodyNeeded, BodyReader, IncompleteBody, UnreadBody
from glific_gpt.server.request_threads import RequestThreads
from glific_gpt.server.response_files import ResponseFile, TooManyFiles
from glific_gpt.server.watchdog import Watchdog
from glific_gpt.server.wsgi_call import Response
from glific_gpt.server.wsgi_environ import make_environ
from glific_gpt.settings import MAX_BODY_BYTES
from glific_gpt.webhooks import paths
from glific_gpt.webhooks.routes import ARRIVED_AT, HAS_WAITED_TOO_LONG, IS_AUTHENTICATED

log = structlog.get_logger()

MAX_ARRIVING_BYTES = 32 * 1024 * 1024
"""Memory of all bodies of webhooks that are still arriving."""
MAX_ARRIVING_PAGE_BYTES = 64 * 1024 * 1024
"""Memory of all other bodies that are still arriving: five documents of the largest size."""
MAX_LOOP_URL_BYTES = 1024
"""Longest path and query of a request that the event loop answers. Longer ones take time to decode."""
PAGE_TIMEOUT_SECONDS = 10.0
"""How long such a request may wait for a thread."""
REFUSAL_TIMEOUT_SECONDS = 2.0
"""How long a call that has waited too long may wait for its refusal."""
MSG_MANY_PAGES = b"Too many pages were loaded from your address. Try again in a moment."
MSG_BUSY = b"The server is busy. Try again in a moment."

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


def _do_nothing() -> None: ...


class AsgiBridge:
    """Receives requests as an ASGI app, and passes them to Flask as WSGI calls."""

    def __init__(
        self,
        app: Flask,
        on_startup: Callable[[], None] = _do_nothing,
        on_shutdown: Callable[[], None] = _do_nothing,
        options: ServerOptions = DEFAULT_OPTIONS,
        threads: RequestThreads | None = None,
    ) -> None:
        """Create a bridge.

        `on_startup` is called in the thread of the running event loop. `on_shutdown` may block, and is called after the
        last response.
        """
        self._app = app
        self.options = options
        self._refusal_slots = FairSlots(1)
        self._threads = threads or RequestThreads()
        self._on_startup = on_startup
        self._on_shutdown = on_shutdown
        self._webhook_bodies = BodyReader(MAX_ARRIVING_BYTES)
        self._other_bodies = BodyReader(MAX_ARRIVING_PAGE_BYTES)
        self._known_callers = KnownCallers()

    def start_threads(self) -> None:
        """Start all threads now, and not on the event loop later."""
        self._threads.start()

    def shut_down_threads(self) -> None:
        """End the threads when they are idle. Does not block."""
        self._threads.shut_down()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._run_lifespan(receive, send)
        else:
            await self._serve(scope, receive, send)

    async def _run_lifespan(self, receive: Receive, send: Send) -> None:
        await receive()  # lifespan.startup
        bridge.set_loop(asyncio.get_running_loop())
        watchdog, files = Watchdog(), FileDescriptorMonitor()
        files.start_on_loop(asyncio.get_running_loop())
        self._on_startup()
        await send({"type": "lifespan.startup.complete"})
        await receive()  # lifespan.shutdown, which uvicorn sends after the last response
        # In a thread: the worker that ends here still needs the loop, which runs its exchanges with OpenAI.
        await asyncio.to_thread(self._on_shutdown)
        watchdog.stop()
        files.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._respond(scope, receive)
        except (Exception, asyncio.CancelledError) as failure:  # uvicorn cancels after the shutdown time-out
            log.exception("request_failed", reason=type(failure).__name__)
            response = Response(500, list(self.options.headers), b"")
        start = response.start_message(scope["method"])
        if isinstance(response.body, ResponseFile):
            await response.body.send(start, send, scope.get(ABORT, _do_nothing))
        else:
            await send(start)
            await send({"type": "http.response.body", "body": response.body})

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        """Call Flask. If the body has not arrived yet, the first call tells whether the caller may send it.

        The body is read between the two calls, so that a slow client holds no slot, thread or transaction.
        """
        if scope.get(HAS_ARRIVED):
            body = (await receive()).get("body")  # None if the client has disconnected
            return await self._run(scope, body)
        environ = self._make_environ(scope, UnreadBody())
        is_webhook = paths.is_webhook(scope["path"])
        if is_webhook and self._is_possibly_signed(scope, environ):
            limit = MAX_BODY_BYTES
        else:
            try:
                return await self._call(scope, environ)
            except BodyNeeded as needed:
                limit = needed.limit
        reader = self._webhook_bodies if is_webhook else self._other_bodies
        body = await reader.read(scope, receive, limit, self._client_network(environ))
        return await self._run(scope, body)

    def _is_possibly_signed(self, scope: Scope, environ: dict[str, Any]) -> bool:
        """Return whether only the body can tell if the caller is known.

        Flask would read the body of such a call too, for each name in the path: the call has the form of one with a
        current signature.
        """
        name = paths.organization_name(scope["path"])
        has_token = self._known_callers.has_token(name, environ)
        return not has_token and self._known_callers.find_check(name, environ) is not None

    def _make_environ(self, scope: Scope, body: io.IOBase) -> dict[str, Any]:
        return make_environ(scope, body, self.options.trusted_proxies)

    async def _run(self, scope: Scope, body: bytes | None) -> Response:
        if body is None:
            return await self._call(scope, self._make_environ(scope, IncompleteBody()))
        environ = self._make_environ(scope, io.BytesIO(body))
        if environ.pop("HTTP_TRANSFER_ENCODING", None):
            # Werkzeug would read only a part of a chunked body that is too large, and raise no error.
            environ["CONTENT_LENGTH"] = str(len(body))
        return await self._call(scope, environ)

    async def _call(self, scope: Scope, environ: dict[str, Any]) -> Response:
        path = scope["path"]
        if paths.is_webhook(path):
            environ[ARRIVED_AT] = time.monotonic()
            if len(path) + len(scope["query_string"]) <= MAX_LOOP_URL_BYTES:
                return await self._call_app_on_loop(path, environ)
            return await asyncio.get_running_loop().run_in_executor(self._threads.long_url, self._call_app, environ)
        return await self._call_app_in_thread(paths.normalize(path), environ)

    async def _call_app_in_thread(self, path: str, environ: dict[str, Any]) -> Response:
        """Call Flask in a thread. A client with many requests delays others by one request at most."""
        client = self._client_network(environ)
        threads = await self._threads.find(path, environ, client)
        if threads is None:
            return self._refuse_page(HTTPStatus.TOO_MANY_REQUESTS, MSG_MANY_PAGES)
        try:
            response = await threads.run(client, PAGE_TIMEOUT_SECONDS, lambda: self._call_app(environ))
        except (ThreadTimeout, TooManyFiles):
            return self._refuse_page(HTTPStatus.SERVICE_UNAVAILABLE, MSG_BUSY)
        if "HTTP_AUTHORIZATION" in environ:
            self._threads.note_token(environ)
        return response

    def _refuse_page(self, status: HTTPStatus, message: bytes) -> Response:
        headers = [*self.options.headers, ("Content-Type", "text/plain; charset=utf-8"), ("Retry-After", "1")]
        return Response(status, headers, message)

    def _client_network(self, environ: dict[str, Any]) -> str:
        forwarded_for = environ.get("HTTP_X_FORWARDED_FOR", "")
        return ip_addresses.network(
            ip_addresses.client_of(environ["REMOTE_ADDR"], forwarded_for, self.options.trusted_proxies)
        )

    async def _call_app_on_loop(self, path: str, environ: dict[str, Any]) -> Response:
        # Organizations are served in rotation, by the name in the path. All unknown callers together are one group.
        name = paths.organization_name(path)
        group = name if await self._is_known(name, environ) else UNKNOWN
        call_context.set_group(group)
        try:
            response = await bridge.run(self._call_app, environ)
        except bridge.StartTimeout:
            environ[HAS_WAITED_TOO_LONG] = True  # the webhook refuses the call without any work
            return await self._refuse(group, environ)
        finally:
            if IS_AUTHENTICATED in environ:
                self._known_callers.add(name, environ)
        if response.status == HTTPStatus.UNAUTHORIZED and IS_AUTHENTICATED not in environ:
            self._known_callers.forget_token(name, environ)
        return response

    async def _is_known(self, name: str, environ: dict[str, Any]) -> bool:
        """Return whether the caller has a known token, or a signature that is valid under the known phrase.

        The flows of all organizations call from Glific's addresses, so an address does not make a caller known.
        """
        if self._known_callers.has_token(name, environ):
            return True
        body = environ["wsgi.input"]
        check = self._known_callers.find_check(name, environ)
        if check is None or not isinstance(body, io.BytesIO):
            return False
        check_body = partial(check.is_valid, environ["HTTP_X_GLIFIC_SIGNATURE"], body.getvalue(), now())
        if len(body.getbuffer()) < cpu_bound.LARGE_CHARACTERS:
            return check_body()
        # In a thread, because this call has no slot yet, and nothing limits how many there are at the same moment.
        return await asyncio.get_running_loop().run_in_executor(self._threads.signature, check_body)

    async def _refuse(self, group: str, environ: dict[str, Any]) -> Response:
        """Call Flask for a refusal. Calls that came together time out together, so a few run in each pass."""
        has_slot = await self._refusal_slots.acquire(group, REFUSAL_TIMEOUT_SECONDS)
        try:
            return self._call_app(environ)
        finally:
            if has_slot:
                self._refusal_slots.release()

    def _call_app(self, environ: dict[str, Any]) -> Response:
        # Before the call, because an app may change the environ.
        client = None if event_loop.is_on_loop() else self._client_network(environ)
        return wsgi_call.call(self._app, environ, client)
