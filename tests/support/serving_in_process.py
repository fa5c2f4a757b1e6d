"""The production server in a thread of this process: uvicorn with the product's protocol and `make serve`'s options.

One event loop serves all apps of a test process, one after the other or at the same time.
"""

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from functools import cache

import uvicorn
import uvloop
from flask import Flask

from glific_gpt.server import watchdog
from glific_gpt.server.asgi import AsgiBridge
from glific_gpt.server.listening import BACKLOG, duplicate, uvicorn_config
from glific_gpt.server.options import ServerOptions
from glific_gpt.services import services

STOP_SECONDS = 5
"""Time for an abandoned request to end after its cancellation."""

# In this process the test and the stand-ins compete with the loop for Python's lock, and the garbage collector has to
# scan the modules of all tests.
watchdog.LIMIT_SECONDS = 1.0


@contextmanager
def serve(app: Flask) -> Iterator[str]:
    """Serve the app until the end of the block, and yield its URL."""
    with app.app_context():
        app_services = services()
    settings = app_services.settings
    asgi_app = AsgiBridge(app, options=ServerOptions.from_settings(settings))
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as listener:
        server = uvicorn.Server(uvicorn_config(asgi_app, listener))
        _run(_start(server, listener))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            _run(_stop(server))
            asgi_app.shut_down_threads()


def settle() -> None:
    """Wait until the event loop has run all ready callbacks."""
    if _loop.cache_info().currsize:
        _run(asyncio.sleep(0))


async def _start(server: uvicorn.Server, listener: socket.socket) -> None:
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup(duplicate(listener))
    await server.on_tick(0)


async def _stop(server: uvicorn.Server) -> None:
    """Stop immediately. uvicorn itself would wait for requests and connections, which an ended test does not need."""
    for listening in server.servers:
        listening.close()
    tasks = server.server_state.tasks.copy()
    for connection in server.server_state.connections.copy():
        connection.transport.abort()
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=STOP_SECONDS)
    await server.lifespan.shutdown()


def _run(coroutine: Coroutine[object, object, None]) -> None:
    asyncio.run_coroutine_threadsafe(coroutine, _loop()).result()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = uvloop.new_event_loop()
    threading.Thread(target=loop.run_forever, name="server", daemon=True).start()
    return loop
