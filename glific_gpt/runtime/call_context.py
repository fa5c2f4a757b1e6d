"""Context of the current call: its group, and until when it waits for threads."""

import contextvars
import time

from glific_gpt.runtime.event_loop import is_on_loop

_group: contextvars.ContextVar[str] = contextvars.ContextVar("group", default="")
"""Group of the current call. Groups get slots in rotation."""
_wait_until: contextvars.ContextVar[float | None] = contextvars.ContextVar("wait_until", default=None)
"""When the current call stops waiting for threads, on `time.monotonic()`. None if it does not."""


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


def deadline() -> float | None:
    """Return when the current call stops waiting, on `time.monotonic()`; None if it does not."""
    return _wait_until.get()


def limit_wait(seconds: float) -> float:
    """Return how long the current call may wait: that many seconds, or less if its deadline comes first."""
    at = _wait_until.get()
    return seconds if at is None else max(0.0, min(seconds, at - time.monotonic()))


def context_of_part() -> contextvars.Context:
    """Return the context of a part of the current call that runs elsewhere. It has no variable but the group."""
    context = contextvars.Context()
    context.run(_group.set, _group.get())
    return context
