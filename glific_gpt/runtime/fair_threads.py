"""Threads for the work of an event loop, which the waiting groups use in rotation."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from glific_gpt.runtime.fair_slots import FairSlots

Result = TypeVar("Result")


def start_all_threads(executor: ThreadPoolExecutor, number: int) -> None:
    """Start all threads of an executor, of which none is busy.

    An executor starts a thread when it needs one, and waits until the thread runs. On a busy machine that blocked the
    event loop for 0.3 seconds.
    """
    barrier = threading.Barrier(number + 1)
    for _ in range(number):
        executor.submit(barrier.wait)
    barrier.wait()


class ThreadTimeout(Exception):
    """No thread was free in time. The function has not been called."""


class FairThreads:
    """A pool of threads. A group with much work delays another one by one piece of work at most."""

    def __init__(self, number: int, name: str) -> None:
        self._number = number
        self._slots = FairSlots(number)
        self._executor = ThreadPoolExecutor(number, name)

    def start(self) -> None:
        """Start all threads now, and not on the event loop later."""
        start_all_threads(self._executor, self._number)

    def shut_down(self) -> None:
        """End the threads when they are idle. Does not block."""
        self._executor.shutdown(wait=False)

    async def run(self, group: str, timeout: float, function: Callable[[], Result]) -> Result:
        """Return the result of the function. Raises ThreadTimeout if no thread was free in that many seconds."""
        if not await self._slots.acquire(group, timeout):
            raise ThreadTimeout
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, function)
        finally:
            self._slots.release()
