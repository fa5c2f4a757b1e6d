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
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy.util import concurrency

from glific_gpt.runtime.fair_slots import FairSlots
from glific_gpt.runtime.fair_threads import start_all_threads

Result = TypeVar("Result")
Parameters = ParamSpec("Parameters")

THREADS = 16
"""Threads for blocking work, such as database statements."""

TRANSACTION_THREADS = 4
"""Threads for transactions of calls that are not batched. More would compete for Python's lock and for SQLite's one
writer, and the batched writes of all other calls would wait behind them."""

TRANSACTION_TIMEOUT_SECONDS = 5.0
"""How long a call without a deadline waits for one of these threads."""

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

_executor = ThreadPoolExecutor(THREADS, "bridge")
_transactions = ThreadPoolExecutor(TRANSACTION_THREADS, "transaction")
# Several threads may ask for the loop at the same moment. A connection works only on the loop that opened it.
_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


_group: contextvars.ContextVar[str] = contextvars.ContextVar("group", default="")
"""Group of the current call. Groups get slots in rotation."""


_wait_until: contextvars.ContextVar[float | None] = contextvars.ContextVar("wait_until", default=None)
"""When the current call stops waiting for threads, on `time.monotonic()`. None if it does not."""


class WaitTimeout(TimeoutError):
    """A call has waited for a thread until its deadline. The thread may still do its work."""


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
        is_held = await self.slots.acquire(_group.get(), timeout, resumed=resumed)
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
    return asyncio.current_task(_loop)


_limit = ConcurrencyLimit()
_transaction_slots = FairSlots(TRANSACTION_THREADS)
_tasks: set[asyncio.Task[Any]] = set()
"""Tasks of `spawn` and `start`: the event loop itself keeps no reference to a task."""


def set_group(name: str) -> None:
    """Set the group of the call that the current task runs next, such as its organization."""
    _group.set(name)


def current_group() -> str:
    """Return the group of the current call; "" if it has none."""
    return _group.get()


def wait_until(at: float | None) -> None:
    """Limit the time in which the current call waits for threads, to a time on `time.monotonic()`.

    Outside the event loop it does nothing: the thread would keep the limit for its next request.
    """
    if is_on_loop():
        _wait_until.set(at)


def limit_wait(seconds: float) -> float:
    """Return how long the current call may wait: that many seconds, or less if its deadline comes first."""
    at = _wait_until.get()
    return seconds if at is None else max(0.0, min(seconds, at - time.monotonic()))


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


def context_of_part() -> contextvars.Context:
    """Return the context of a part of the current call that runs elsewhere. It has no variable but the group."""
    context = contextvars.Context()
    context.run(_group.set, _group.get())
    return context


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


def run_transaction(function: Callable[[], Result]) -> Result:
    """Do the same as `run_in_executor` for a function with a transaction of its own, in one of few threads.

    The groups of calls take turns.
    """
    if not is_on_loop():
        return run_in_executor(function)
    return concurrency.await_(_run_in_turn(partial(contextvars.copy_context().run, function)))


async def _run_in_turn(function: Callable[[], Result]) -> Result:
    if not await _transaction_slots.acquire(_group.get(), limit_wait(TRANSACTION_TIMEOUT_SECONDS)):
        raise WaitTimeout
    server_loop, slots = loop(), _transaction_slots
    written = _transactions.submit(function)
    # When the thread is free again, which may be after the call has given up.
    written.add_done_callback(lambda _: server_loop.call_soon_threadsafe(slots.release))
    future = asyncio.wrap_future(written)
    at = _wait_until.get()
    return await (future if at is None else _result_until(future, at))


def run_in_executor(function: Callable[[], Result]) -> Result:
    """Return the result of a function that may block. On the event loop, a thread calls it in a copied context.

    Raises WaitTimeout at the deadline of `wait_until`.
    """
    if not is_on_loop():
        require_thread("run_in_executor")  # only a greenlet can wait for the thread without blocking the loop
        return function()
    # Flask keeps its app and request contexts in context variables, which asyncio's run_in_executor does not copy.
    future = loop().run_in_executor(_executor, contextvars.copy_context().run, function)
    at = _wait_until.get()
    return concurrency.await_(future if at is None else _result_until(future, at))


def wait_for(future: "asyncio.Future[Result]", seconds: float | None = None) -> Result:
    """Return the result of a future of the loop, for code on the loop.

    Raises WaitTimeout after that time, and at the deadline of `wait_until`. The future is cancelled then.
    """
    at = _wait_until.get()
    if seconds is not None:
        at = time.monotonic() + limit_wait(seconds)
    return concurrency.await_(future if at is None else _result_until(future, at))


async def _result_until(future: "asyncio.Future[Result]", at: float) -> Result:
    is_late = False

    def give_up() -> None:
        nonlocal is_late
        is_late = future.cancel()  # work that no thread has begun is not done any more

    timer = loop().call_later(max(0.0, at - time.monotonic()), give_up)
    try:
        return await future
    except asyncio.CancelledError:
        if is_late:
            raise WaitTimeout from None
        raise  # the task itself was cancelled, at the end of the server
    finally:
        timer.cancel()


def start_threads() -> None:
    """Start the threads of this module now, and not on the event loop later."""
    start_all_threads(_executor, THREADS)
    start_all_threads(_transactions, TRANSACTION_THREADS)


def submit(function: Callable[[], object]) -> None:
    """Have a thread call the function. Nothing waits for it."""
    _executor.submit(function)


def start(function: Callable[[], object]) -> None:
    """Start the function in a greenlet that belongs to no call and needs no slot. Only for the event loop.

    It begins after the callbacks that are ready now.
    """
    task = loop().create_task(concurrency.greenlet_spawn(function), context=contextvars.Context())
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def call_soon(function: Callable[[], object]) -> None:
    """Have the event loop call the function after the callbacks that are ready now. Not thread-safe."""
    loop().call_soon(function)


def call_later(seconds: float, function: Callable[[], object]) -> None:
    """Have the event loop call the function after that time. Thread-safe."""
    loop().call_soon_threadsafe(loop().call_later, seconds, function)


def after_response(function: Callable[[], object]) -> None:
    """Call the function when the response has been sent. Outside the event loop, call it immediately."""
    call_soon(function) if is_on_loop() else function()


def sleep(seconds: float) -> None:
    """Suspend the call, or block the thread, for that long."""
    if is_on_loop():
        concurrency.await_(asyncio.sleep(seconds))
    else:
        require_thread("sleep")
        time.sleep(seconds)


def set_loop(server_loop: asyncio.AbstractEventLoop | None) -> None:
    """Use the server's own loop from now on. With None, `loop` starts another one in a thread."""
    global _loop, _limit, _transaction_slots
    _loop, _limit, _transaction_slots = server_loop, ConcurrencyLimit(), FairSlots(TRANSACTION_THREADS)


def loop() -> asyncio.AbstractEventLoop:
    """Return the one event loop of this process. Without a server's, a thread runs one."""
    global _loop  # noqa: PLW0603
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="loop", daemon=True).start()
        return _loop
