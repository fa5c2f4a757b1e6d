"""A thread for one kind of work of all calls: one job at a time, and the groups of calls in turn."""

import contextvars
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from glific_gpt.runtime.turns import Turns

Result = TypeVar("Result")


def _no_pause(_cpu_seconds: float) -> None: ...


class FairThread:
    """A thread that does one job at a time. Groups of calls take turns."""

    def __init__(self, name: str, after_job: Callable[[float], object] = _no_pause) -> None:
        """`after_job` is called with the CPU seconds of each job."""
        self.thread: threading.Thread | None = None
        self._name = name
        self._after_job = after_job
        self._changed = threading.Condition()
        self._jobs: Turns[tuple[Future[Any], contextvars.Context, Callable[[], Any]]] = Turns()

    def __len__(self) -> int:
        """Return the number of jobs that have not begun."""
        return len(self._jobs)

    def submit(self, group: str, function: Callable[[], Result]) -> "Future[Result]":
        """Have the thread call the function, in a copy of the current context."""
        future: Future[Result] = Future()
        with self._changed:
            self._jobs.push(group, (future, contextvars.copy_context(), function))
            self._changed.notify()
            self.start()
        return future

    def start(self) -> None:
        """Start the thread, unless it has been started."""
        with self._changed:  # a Condition's lock is reentrant
            if self.thread is None:
                self.thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self.thread.start()

    def _run(self) -> None:
        while True:
            future, context, function = self._next()
            started = time.thread_time()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(context.run(function))
            except BaseException as failure:  # noqa: BLE001 - it is raised where the caller waits
                future.set_exception(failure)
            del future, context, function  # otherwise they would stay in memory until the next job
            self._after_job(time.thread_time() - started)

    def _next(self) -> tuple[Future[Any], contextvars.Context, Callable[[], Any]]:
        with self._changed:
            self._changed.wait_for(lambda: self._jobs)
            return self._jobs.pop()
