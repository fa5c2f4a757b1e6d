"""Bridge between synchronous code and the server's event loop.

A webhook call runs as ordinary synchronous code in a greenlet on the event loop (`run`). The functions of this module
suspend the greenlet, so that the loop runs other calls meanwhile. In commands, workers and tests there is no greenlet,
and the same functions block the calling thread.

The greenlets are SQLAlchemy's: `greenlet_spawn` and `await_` are what its asyncio extension is built on.
"""

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy.util import concurrency

Result = TypeVar("Result")

THREADS = 16
"""Threads for blocking work, such as database statements."""

MAX_CONCURRENT_CALLS = 16
"""Calls that the event loop works on at the same time. Calls that wait for OpenAI do not count.

Without this limit, a thousand calls that arrive together would all be started before the first one is sent to OpenAI,
and all of them would be late.
"""

SLOT_TIMEOUT_SECONDS = 2.0
"""After this time-out a call proceeds without a slot: the calls that hold the slots may be waiting for a database."""

_executor = ThreadPoolExecutor(THREADS, "bridge")
# Several threads may ask for the loop at the same moment. A connection works only on the loop that opened it.
_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


class ConcurrencyLimit:
    """A semaphore with a time-out, held by tasks. Slots are granted in the order of requests.

    It is not thread-safe: only the event loop's thread may use it.
    """

    def __init__(self) -> None:
        self.calls = 0
        """Calls in progress, with or without a slot."""
        self._semaphore = asyncio.Semaphore(MAX_CONCURRENT_CALLS)
        # A task that timed out has no slot. Releasing one for it would raise the limit for good.
        self._holders: set[asyncio.Task[Any] | None] = set()

    async def acquire(self) -> None:
        """Take a slot for the current task. Return without one after SLOT_TIMEOUT_SECONDS."""
        if self._semaphore.locked():
            try:
                async with asyncio.timeout(SLOT_TIMEOUT_SECONDS):
                    await self._semaphore.acquire()
            except TimeoutError:
                return
        else:  # the usual case, which needs no timer
            await self._semaphore.acquire()
        self._holders.add(asyncio.current_task())

    def release(self) -> None:
        """Free the slot of the current task, if it has one."""
        task = asyncio.current_task()
        if task in self._holders:
            self._holders.remove(task)
            self._semaphore.release()


_limit = ConcurrencyLimit()


async def run(function: Callable[..., Result], *arguments: Any) -> Result:
    """Call the function in a greenlet and return its result; while it waits, the loop runs other calls.

    The greenlet shares the context variables of the current task, so each call needs a task of its own. uvicorn creates
    one for each request.
    """
    _limit.calls += 1
    try:
        await _limit.acquire()
        return await concurrency.greenlet_spawn(function, *arguments)
    finally:
        _limit.calls -= 1
        _limit.release()


def is_on_loop() -> bool:
    """Tell whether this code runs on the event loop, which it must not block."""
    return concurrency.in_greenlet()


def is_only_call() -> bool:
    """Tell whether this code runs on the event loop and no other call is in progress."""
    return is_on_loop() and _limit.calls == 1


def await_(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Return the result of a coroutine, run by the event loop of this process. The coroutine may take long.

    A call on the event loop gives up its slot until the coroutine ends.
    """
    # Outside the loop, SQLAlchemy's `await_` must not be called: while it raises MissingGreenlet, its frame holds the
    # thread's main greenlet. greenlet 3.5 drops a reference that it does not own when a thread ends while the frames
    # of an exception are garbage-collected, and the process crashes later. `in_greenlet` returns before that.
    if is_on_loop():
        return concurrency.await_(_without_slot(coroutine))
    # No time-out here: the coroutine brings its own, such as the time-out of an exchange with OpenAI.
    return asyncio.run_coroutine_threadsafe(coroutine, loop()).result()


async def _without_slot(coroutine: Coroutine[Any, Any, Result]) -> Result:
    _limit.release()
    try:
        return await coroutine
    finally:
        await _limit.acquire()


def run_in_executor(function: Callable[[], Result]) -> Result:
    """Return the result of a function that may block. On the event loop, a thread calls it in a copied context."""
    if not is_on_loop():
        return function()
    # Flask keeps its app and request contexts in context variables, which asyncio's run_in_executor does not copy.
    return concurrency.await_(loop().run_in_executor(_executor, contextvars.copy_context().run, function))


def submit(function: Callable[[], object]) -> None:
    """Have a thread call the function. Nothing waits for it."""
    _executor.submit(function)


def call_soon(function: Callable[[], object]) -> None:
    """Have the event loop call the function after the callbacks that are ready now. Not thread-safe."""
    loop().call_soon(function)


def after_response(function: Callable[[], object]) -> None:
    """Call the function when the response has been sent. Outside the event loop, call it immediately."""
    call_soon(function) if is_on_loop() else function()


def sleep(seconds: float) -> None:
    """Suspend the call, or block the thread, for that long."""
    if is_on_loop():
        concurrency.await_(asyncio.sleep(seconds))
    else:
        time.sleep(seconds)


class OneShotEvent:
    """An event that is set once and awaited by the call or thread that created it.

    asyncio.Event cannot be set from a thread, and threading.Event would block the event loop.
    """

    def __init__(self) -> None:
        self._thread_event = None if is_on_loop() else threading.Event()
        self._is_set = False
        self._waiter: asyncio.Future[bool] | None = None

    def wait(self, seconds: float) -> bool:
        """Tell whether the event was set within that time."""
        if self._thread_event:
            return self._thread_event.wait(seconds)
        if self._is_set:  # set before anything waited: a future that is created now would never be woken
            return True
        self._waiter = loop().create_future()
        timer = loop().call_later(seconds, self._wake)
        try:
            return concurrency.await_(self._waiter)
        finally:
            timer.cancel()

    def set(self) -> None:
        """Set the event, in the event loop's thread. Other threads use `set_all`."""
        if self._thread_event:
            self._thread_event.set()
        else:
            self._is_set = True
            self._wake()

    @staticmethod
    def set_all(events: Iterable["OneShotEvent"]) -> None:
        """Set the events, from any thread. The loop is woken once for all of them: each wake-up is a system call."""
        on_loop = []
        for event in events:
            if event._thread_event:
                event.set()
            else:
                on_loop.append(event)
        if on_loop:
            loop().call_soon_threadsafe(OneShotEvent._set_on_loop, on_loop)

    @staticmethod
    def _set_on_loop(events: Iterable["OneShotEvent"]) -> None:
        for event in events:
            event.set()

    def _wake(self) -> None:
        # The timer and `set` can both wake the waiter in one pass of the loop, and a future accepts one result only.
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(self._is_set)


def set_loop(server_loop: asyncio.AbstractEventLoop | None) -> None:
    """Use the server's own loop from now on. With None, `loop` starts another one in a thread."""
    global _loop, _limit
    _loop, _limit = server_loop, ConcurrencyLimit()


def loop() -> asyncio.AbstractEventLoop:
    """Return the one event loop of this process. Without a server's, a thread runs one."""
    global _loop  # noqa: PLW0603
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="loop", daemon=True).start()
        return _loop
