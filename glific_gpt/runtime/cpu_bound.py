"""Long computations of calls, in a thread of their own: one at a time, and the organizations in turn.

On the event loop, all other calls would wait for them. In many threads, the loop would wait for Python's lock behind
each of these threads.
"""

import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from pydantic import JsonValue

from glific_gpt.runtime import bridge, garbage_collector

Result = TypeVar("Result")

LARGE_CHARACTERS = 16 * 1024
"""Characters or bytes from which on a text counts as large. To parse that much JSON takes less than a millisecond."""
LARGE_VALUES = 1000
"""Values of a JSON value from which on it counts as large."""

MAX_PAUSE_SECONDS = 0.1
"""Longest pause after a long computation."""


def run(function: Callable[[], Result], *, is_long: bool) -> Result:
    """Return the result of the function: computed here, or in the thread for long computations.

    The caller waits for the result, and the event loop runs other calls meanwhile.
    """
    if not is_long or threading.current_thread() is _thread.thread:
        return function()
    return bridge.result_of(_thread.submit(bridge.current_group(), contextvars.copy_context(), function))


def start_thread() -> None:
    """Start the thread now, and not on the event loop later."""
    _thread.start()


def is_large(value: JsonValue) -> bool:
    """Return whether a JSON value is large. It stops counting at the limit."""
    if isinstance(value, str):
        return len(value) >= LARGE_CHARACTERS
    pending: list[JsonValue] = [value]
    characters = values = 0
    while pending and characters < LARGE_CHARACTERS and values < LARGE_VALUES:
        child = pending.pop()
        values += 1
        if isinstance(child, str):
            characters += len(child)
        elif isinstance(child, dict):
            values += len(child)
            characters += sum(map(len, child)) if values < LARGE_VALUES else 0
            pending.extend(child.values())
        elif isinstance(child, list):
            pending.extend(child)
    return characters >= LARGE_CHARACTERS or values >= LARGE_VALUES


class _FairThread:
    """A thread with a queue for each group of calls. It takes one job from each queue in turn."""

    def __init__(self) -> None:
        self.thread: threading.Thread | None = None
        self._changed = threading.Condition()
        self._queues: dict[str, deque[tuple[Future[Any], contextvars.Context, Callable[[], Any]]]] = {}

    def submit(self, group: str, context: contextvars.Context, function: Callable[[], Result]) -> "Future[Result]":
        """Have the thread call the function in that context."""
        future: Future[Result] = Future()
        with self._changed:
            self._queues.setdefault(group, deque()).append((future, context, function))
            self._changed.notify()
            self.start()
        return future

    def start(self) -> None:
        """Start the thread, unless it has been started."""
        with self._changed:  # a Condition's lock is reentrant
            if self.thread is None:
                self.thread = threading.Thread(target=self._run, name="cpu-bound", daemon=True)
                self.thread.start()

    def _run(self) -> None:
        while True:
            future, context, function = self._next()
            started = time.thread_time()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                with garbage_collector.paused():
                    future.set_result(context.run(function))
            except BaseException as failure:  # noqa: BLE001 - it is raised where the caller waits
                future.set_exception(failure)
            del future, context, function  # otherwise they would stay in memory until the next job
            # C code, such as the decoder of JSON, keeps Python's lock until it ends. The loop gets as much time.
            time.sleep(min(time.thread_time() - started, MAX_PAUSE_SECONDS))

    def _next(self) -> tuple[Future[Any], contextvars.Context, Callable[[], Any]]:
        with self._changed:
            self._changed.wait_for(lambda: self._queues)
            group = next(iter(self._queues))
            queue = self._queues.pop(group)
            job = queue.popleft()
            if queue:
                self._queues[group] = queue  # at the end, so that the others are next
            return job


_thread = _FairThread()
