"""Long computations of calls, in a thread of their own: one at a time, and the organizations in turn.

On the event loop, all other calls would wait for them. In many threads, the loop would wait for Python's lock behind
each of these threads.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from pydantic import JsonValue

from glific_gpt.runtime import bridge, call_context, garbage_collector
from glific_gpt.runtime.fair_thread import FairThread

Result = TypeVar("Result")

LARGE_CHARACTERS = 16 * 1024
"""Characters or bytes from which on a text counts as large. To parse that much JSON takes less than a millisecond."""
LARGE_VALUES = 1000
"""Values of a JSON value from which on it counts as large."""

MAX_PAUSE_SECONDS = 0.1
"""Longest pause after a long computation."""

PACE_SECONDS = 0.01
"""CPU time of a long response between two pauses."""


def run(function: Callable[[], Result], *, is_long: bool) -> Result:
    """Return the result of the function: computed here, or in the thread for long computations.

    The caller waits for the result, and the event loop runs other calls meanwhile.
    """
    if not is_long or threading.current_thread() is _thread.thread:
        return function()

    def compute() -> Result:
        with garbage_collector.paused():
            return function()

    return bridge.result_of(_thread.submit(call_context.current_group(), compute))


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


def paced(parts: Iterable[Result]) -> Iterator[Result]:
    """Yield the parts of a long response, and pause the thread after each 10 ms of its CPU time."""
    started = time.thread_time()
    for part in parts:
        yield part
        used = time.thread_time() - started
        if used >= PACE_SECONDS:
            _leave_time(used)
            started = time.thread_time()


def _leave_time(cpu_seconds: float) -> None:
    """C code, such as the decoder of JSON, keeps Python's lock until it ends. The loop gets as much time."""
    time.sleep(min(cpu_seconds, MAX_PAUSE_SECONDS))


_thread = FairThread("cpu-bound", _leave_time)
