"""Threads for the blocking work of calls on the event loop, such as database statements."""

import asyncio
import contextvars
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from sqlalchemy.util import concurrency

from glific_gpt.runtime import call_context
from glific_gpt.runtime.call_context import current_group, limit_wait
from glific_gpt.runtime.event_loop import is_on_loop, loop, require_thread
from glific_gpt.runtime.fair_slots import FairSlots
from glific_gpt.runtime.fair_threads import start_all_threads

Result = TypeVar("Result")

THREADS = 16
"""Threads for blocking work, such as database statements."""
TRANSACTION_THREADS = 4
"""Threads for transactions of calls that are not batched. More would compete for Python's lock and for SQLite's one
writer, and the batched writes of all other calls would wait behind them."""
TRANSACTION_TIMEOUT_SECONDS = 5.0
"""How long a call without a deadline waits for one of these threads."""
_executor = ThreadPoolExecutor(THREADS, "bridge")
_transactions = ThreadPoolExecutor(TRANSACTION_THREADS, "transaction")


class WaitTimeout(TimeoutError):
    """A call has waited for a thread until its deadline. The thread may still do its work."""


_transaction_slots = FairSlots(TRANSACTION_THREADS)


def run_transaction(function: Callable[[], Result]) -> Result:
    """Do the same as `run_in_executor` for a function with a transaction of its own, in one of few threads.

    The groups of calls take turns.
    """
    if not is_on_loop():
        return run_in_executor(function)
    return concurrency.await_(_run_in_turn(partial(contextvars.copy_context().run, function)))


async def _run_in_turn(function: Callable[[], Result]) -> Result:
    if not await _transaction_slots.acquire(current_group(), limit_wait(TRANSACTION_TIMEOUT_SECONDS)):
        raise WaitTimeout
    server_loop, slots = loop(), _transaction_slots
    written = _transactions.submit(function)
    # When the thread is free again, which may be after the call has given up.
    written.add_done_callback(lambda _: server_loop.call_soon_threadsafe(slots.release))
    future = asyncio.wrap_future(written)
    at = call_context.deadline()
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
    at = call_context.deadline()
    return concurrency.await_(future if at is None else _result_until(future, at))


def wait_for(future: "asyncio.Future[Result]", seconds: float | None = None) -> Result:
    """Return the result of a future of the loop, for code on the loop.

    Raises WaitTimeout after that time, and at the deadline of `wait_until`. The future is cancelled then.
    """
    at = call_context.deadline()
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


def reset_slots() -> None:
    """Begin with free slots, for another event loop."""
    global _transaction_slots  # noqa: PLW0603
    _transaction_slots = FairSlots(TRANSACTION_THREADS)
