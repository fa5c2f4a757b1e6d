"""Outlasting: threads for calls to OpenAI that may outlast their request, and how many of those do."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from glific_gpt.calls.carrying_out import Result


class Outlasting:
    """Of one process. Each call that is begun has a thread at once, so that nobody's slow calls keep others waiting.

    Requests are limited by their places, and what may have outlasted them by `at_once`: hence the number of threads.
    """

    def __init__(self, requests: int, *, at_once: int, at_once_each: int) -> None:
        self._threads = ThreadPoolExecutor(2 * requests + at_once, "auto")
        self._at_once = at_once
        self._at_once_each = at_once_each
        self._counts: Counter[int] = Counter()
        self._lock = Lock()

    def has_room(self, organization_id: int) -> bool:
        """Whether one more of the organization's calls may be begun in its request; if not, it is the queue's."""
        with self._lock:
            return self._counts[organization_id] < self._at_once_each and self._counts.total() < self._at_once

    def begin(self, ask: Callable[[], Result]) -> "Future[Result]":
        return self._threads.submit(ask)

    def count(self, organization_id: int, future: "Future[Result]") -> None:
        """Counts a call that has outlasted its request until it ends."""
        with self._lock:
            self._counts[organization_id] += 1
        future.add_done_callback(lambda _: self._forget(organization_id))

    def _forget(self, organization_id: int) -> None:
        with self._lock:
            self._counts[organization_id] -= 1
            self._counts += Counter()  # which drops those at zero
