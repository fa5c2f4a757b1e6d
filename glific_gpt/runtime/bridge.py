"""Bridge between synchronous code and the server's event loop.

A webhook call runs as ordinary synchronous code in a greenlet on the event loop (`run`). The functions of this module
suspend the greenlet, so that the loop runs other calls meanwhile. In commands, workers and tests there is no greenlet,
and the same functions block the calling thread.

The greenlets are SQLAlchemy's: `greenlet_spawn` and `await_` are what its asyncio extension is built on.
"""

import asyncio
import contextvars
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar

from sqlalchemy.util import concurrency

from glific_gpt.runtime import call_threads, event_loop
from glific_gpt.runtime.call_context import context_of_part, current_group
from glific_gpt.runtime.event_loop import current_loop, is_on_loop, loop, require_thread
from glific_gpt.runtime.fair_slots import FairSlots

Result = TypeVar("Result")
Parameters = ParamSpec("Parameters")


MAX_CONCURRENT_CALLS = 16
"""Calls that the event loop works on at the same time. Calls that wait for OpenAI do not count.

Without this limit, a thousand calls that arrive together would all be started before the first one is sent to OpenAI,
and all of them would be late.
"""

START_TIMEOUT_SECONDS = 3.0
"""How long a call may wait for its first slot. Most of the time in which it could be answered has passed then."""

SLOT_TIMEOUT_SECONDS = 2.0
"""After this time-out a call that has begun proceeds without a slot: the calls that hold the slots may be waiting for a
database, and its answer is paid for."""


class StartTimeout(Exception):
    """A call got no slot in START_TIMEOUT_SECONDS. It has not begun."""


class ConcurrencyLimit:
    """The slots for calls, held by tasks. Groups of calls get them in rotation.

    It is not thread-safe: only the event loop's thread may use it.
    """

    def __init__(self) -> None:
        self.calls = 0
        """Calls in progress, with or without a slot."""
        self.slots = FairSlots(MAX_CONCURRENT_CALLS)
        # A task that timed out has no slot. Releasing one for it would raise the limit for good.
        self._holders: set[asyncio.Task[Any] | None] = set()

    async def acquire(self, timeout: float, *, resumed: bool) -> bool:
        """Take a slot for the current task. Return False if there was none in that many seconds."""
        is_held = await self.slots.acquire(current_group(), timeout, resumed=resumed)
        if is_held:
            self._holders.add(_current_task())
        return is_held

    def release(self) -> None:
        """Free the slot of the current task, if it has one."""
        task = _current_task()
        if task in self._holders:
            self._holders.remove(task)
            self.slots.release()


def _current_task() -> asyncio.Task[Any] | None:
    # Without the loop as an argument, Python 3.11 makes a system call to find it, four times in each call.
    return asyncio.current_task(current_loop())


_limit = ConcurrencyLimit()
_tasks: set[asyncio.Task[Any]] = set()
"""Tasks of `spawn` and `start`: the event loop itself keeps no reference to a task."""


async def run(function: Callable[..., Result], *arguments: Any) -> Result:
    """Call the function in a greenlet and return its result; while it waits, the loop runs other calls.

    The greenlet shares the context variables of the current task, so each call needs a task of its own. uvicorn creates
    one for each request. Raises StartTimeout.
    """
    _limit.calls += 1
    try:
        if not await _limit.acquire(START_TIMEOUT_SECONDS, resumed=False):
            raise StartTimeout
        return await concurrency.greenlet_spawn(function, *arguments)
    finally:
        _limit.calls -= 1
        _limit.release()


def spawn(function: Callable[[], Result]) -> "Future[Result]":
    """Start the function in a greenlet of its own, as a part of the current call, and return its future.

    Only for the event loop. The greenlet has no context variables but the group.
    """
    future: Future[Result] = Future()
    task = loop().create_task(_run_part(function, future), context=context_of_part())
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return future


async def _run_part(function: Callable[[], Result], future: "Future[Result]") -> None:
    try:
        await _limit.acquire(SLOT_TIMEOUT_SECONDS, resumed=True)
        result = await concurrency.greenlet_spawn(function)
    except BaseException as error:
        future.set_exception(error)
        raise
    finally:
        _limit.release()
    future.set_result(result)


def result_of(future: "Future[Result]", seconds: float | None = None) -> Result:
    """Return the result of a future. Raises TimeoutError. A call on the event loop gives up its slot meanwhile."""
    if not is_on_loop():
        require_thread("result_of")
        return future.result(seconds)
    return concurrency.await_(_without_slot(_result_of(future, seconds)))


async def _result_of(future: "Future[Result]", seconds: float | None) -> Result:
    wrapped = asyncio.wrap_future(future)
    await asyncio.wait([wrapped], timeout=seconds)  # unlike `wait_for`, it does not cancel the future
    if not wrapped.done():
        raise TimeoutError
    return wrapped.result()


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
    require_thread("await_")  # a callback of the loop would wait for the loop itself
    # No time-out here: the coroutine brings its own, such as the time-out of an exchange with OpenAI.
    return asyncio.run_coroutine_threadsafe(coroutine, loop()).result()


async def _without_slot(coroutine: Coroutine[Any, Any, Result]) -> Result:
    _limit.release()
    try:
        return await coroutine
    finally:
        await _limit.acquire(SLOT_TIMEOUT_SECONDS, resumed=True)


def start(function: Callable[[], object]) -> None:
    """Start the function in a greenlet that belongs to no call and needs no slot. Only for the event loop.

    It begins after the callbacks that are ready now.
    """
    task = loop().create_task(concurrency.greenlet_spawn(function), context=contextvars.Context())
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def sleep(seconds: float) -> None:
    """Suspend the call, or block the thread, for that long."""
    if is_on_loop():
        concurrency.await_(asyncio.sleep(seconds))
    else:
        require_thread("sleep")
        time.sleep(seconds)


def set_loop(server_loop: asyncio.AbstractEventLoop | None) -> None:
    """Use the server's own loop from now on. With None, a thread runs another one."""
    global _limit  # noqa: PLW0603
    event_loop.set_loop(server_loop)
    call_threads.reset_slots()
    _limit = ConcurrencyLimit()
