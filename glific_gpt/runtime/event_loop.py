"""The one event loop of this process, and the functions that must not block it."""

import asyncio
import threading
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from sqlalchemy.util import concurrency

Result = TypeVar("Result")
Parameters = ParamSpec("Parameters")

# Several threads may ask for the loop at the same moment. A connection works only on the loop that opened it.
_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def is_on_loop() -> bool:
    """Tell whether this code runs on the event loop, which it must not block."""
    return concurrency.in_greenlet()


class BlocksEventLoop(RuntimeError):
    """A function that blocks was called on the event loop, where all other calls would wait for it."""


def blocking(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Decorate a function that may wait for a network, a database or another thread.

    On the event loop it raises BlocksEventLoop, with the function's name, and does nothing.
    """

    @wraps(function)
    def guarded(*arguments: Parameters.args, **options: Parameters.kwargs) -> Result:
        require_thread(function.__qualname__)
        return function(*arguments, **options)

    return guarded


def require_thread(name: str) -> None:
    """Raise BlocksEventLoop in the thread of the event loop. `name` is the function that would block it."""
    # Not `is_on_loop`: a callback of the loop is not in a greenlet, and blocks the loop as well.
    if _loop is not None and asyncio._get_running_loop() is _loop:
        raise BlocksEventLoop(f"{name} blocks, so it must not be called on the event loop. Call it in a thread.")


def call_soon(function: Callable[[], object]) -> None:
    """Have the event loop call the function after the callbacks that are ready now. Not thread-safe."""
    loop().call_soon(function)


def call_later(seconds: float, function: Callable[[], object]) -> None:
    """Have the event loop call the function after that time. Thread-safe."""
    loop().call_soon_threadsafe(loop().call_later, seconds, function)


def after_response(function: Callable[[], object]) -> None:
    """Call the function when the response has been sent. Outside the event loop, call it immediately."""
    call_soon(function) if is_on_loop() else function()


def set_loop(server_loop: asyncio.AbstractEventLoop | None) -> None:
    """Use the server's own loop from now on. With None, `loop` starts another one in a thread."""
    global _loop  # noqa: PLW0603
    _loop = server_loop


def current_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop of this process, if it has one."""
    return _loop


def loop() -> asyncio.AbstractEventLoop:
    """Return the one event loop of this process. Without a server's, a thread runs one."""
    global _loop  # noqa: PLW0603
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="loop", daemon=True).start()
        return _loop
