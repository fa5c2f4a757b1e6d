"""Calls that run beside their request, and limits on those that may exceed it."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock

from glific_gpt.calls.execution import Result
from glific_gpt.runtime import bridge, call_context, event_loop


class BackgroundCalls:
    """Run functions beside their requests, and limit the `auto` calls of this process, which may exceed theirs.

    A function that waits for its model only runs on the event loop, any other one in a thread. Each gets a thread
    immediately, so that slow calls of one organization do not delay others.
    """

    def __init__(
        self, max_requests: int, *, max_calls: int, max_calls_per_organization: int, organization_share: float
    ) -> None:
        # The most threads that calls can need: `max_requests` for calls in a request, and `max_calls` for `auto` calls.
        self._threads = ThreadPoolExecutor(max_requests + max_calls, "call")
        self._max_calls = max_calls
        self._max_calls_per_organization = max_calls_per_organization
        self._organization_share = organization_share
        self._counts: Counter[int] = Counter()
        self._waiting_requests = 0
        self._lock = Lock()

    def reserve(self, organization_id: int, weight: int) -> bool:
        """Count an `auto` call that is about to start. Returns False if it has to be enqueued instead.

        A call with a large body counts as several, by its weight. It counts from its start, because calls that start
        together would otherwise all pass the limits. An organization may have a share of what the others leave, so that
        the next one can start a call too.
        """
        with self._lock:
            count = self._counts[organization_id]
            left_by_others = self._max_calls - (self._counts.total() - count)
            if left_by_others <= count:
                return False
            limit = min(self._max_calls_per_organization, int(left_by_others * self._organization_share))
            if count and count + weight > limit:
                return False
            self._counts[organization_id] += weight
            return True

    @contextmanager
    def waiting_request(self) -> Iterator[int]:
        """Count a request that waits for its `auto` call. Yields their number: all may be deferred at the same time."""
        with self._lock:
            self._waiting_requests += 1
            number = self._waiting_requests
        try:
            yield number
        finally:
            with self._lock:
                self._waiting_requests -= 1

    def release(self, organization_id: int, weight: int) -> None:
        """Stop counting a call that has ended, or that was reserved and did not start."""
        with self._lock:
            self._counts[organization_id] -= weight
            self._counts += Counter()  # drops the entries at zero

    def start(self, organization_id: int, weight: int, call: Callable[[], Result], *, blocks: bool) -> "Future[Result]":
        """Start a call that was reserved. It is counted until it ends."""
        future = self._submit(call) if blocks or not event_loop.is_on_loop() else bridge.spawn(call)
        # A future that has ended in between calls back immediately, so no call is counted for ever.
        future.add_done_callback(lambda _: self.release(organization_id, weight))
        return future

    def run(self, call: Callable[[], Result], *, blocks: bool) -> Result:
        """Run a call and return its result. A call that blocks does not run on the event loop."""
        return bridge.result_of(self._submit(call)) if blocks and event_loop.is_on_loop() else call()

    def _submit(self, call: Callable[[], Result]) -> "Future[Result]":
        # Long computations of the call take turns by the group, in a thread as on the event loop.
        return self._threads.submit(call_context.context_of_part().run, call)
