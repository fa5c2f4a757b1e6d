"""Transactions that write much for one call: one at a time in a process, and the organizations in turn.

Shared with the writes of other calls, such a transaction would make all of them late. Many of them side by side would
take the connections that all other calls need.
"""

from collections.abc import Callable
from concurrent.futures import Future

from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from glific_gpt.runtime import bridge, call_context
from glific_gpt.runtime.fair_thread import FairThread

LARGE_BYTES = 32 * 1024
"""Size of the content that one call stores, from which on it gets a transaction of its own."""

_thread = FairThread("large-writes")


def start_thread() -> None:
    """Start the thread now, and not on the event loop later."""
    _thread.start()


def submit_large(owner: int, function: Callable[[], object]) -> "Future[object]":
    """Have the thread call a function with a transaction of its own, for this organization."""
    return _thread.submit(str(owner), function)


def run_large(owner: int, function: Callable[[], object], queue_timeout: float) -> None:
    """Do the same and return when it has ended. It waits at most `queue_timeout` seconds for those of others.

    Raises what the function raises, and PoolTimeoutError.
    """
    written = submit_large(owner, function)
    try:
        bridge.result_of(written, call_context.limit_wait(queue_timeout))
    except TimeoutError:
        if written.cancel():
            raise PoolTimeoutError("The write was still queued behind other large writes after the time-out.") from None
        bridge.result_of(written)  # its statements have time-outs of their own
