"""Background threads for calls that may exceed their request, and the calls to OpenAI that did."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock

from glific_gpt.calls.context import CallContext
from glific_gpt.calls.execution import Result
from glific_gpt.errors import DeadlineExceeded

DEFERRAL_DECISION_TIMEOUT_SECONDS = 30.0
"""Far longer than a request needs to decide whether its call is deferred."""

MAX_AGE_SECONDS = 900.0
"""How long an answer is kept for its workflow, which may wait in the queue: without it, OpenAI would be asked and paid
a second time. An answer whose workflow ran in another process is never collected."""


class BackgroundCalls:
    """Threads for `auto` calls, and limits on how many of those calls may exceed their request in this process.

    Each call gets a thread immediately, so that slow calls of one organization do not delay others. The number of
    threads follows from the two limits: on requests, and on calls that exceeded theirs.
    """

    def __init__(self, max_requests: int, *, max_calls: int, max_calls_per_organization: int) -> None:
        self._threads = ThreadPoolExecutor(2 * max_requests + max_calls, "auto")
        self._max_calls = max_calls
        self._max_calls_per_organization = max_calls_per_organization
        self._counts: Counter[int] = Counter()
        self._lock = Lock()

    def has_capacity(self, organization_id: int) -> bool:
        """Return whether another call of the organization may start in its request; otherwise it is enqueued."""
        with self._lock:
            is_below_own_limit = self._counts[organization_id] < self._max_calls_per_organization
            return is_below_own_limit and self._counts.total() < self._max_calls

    def submit(self, call: Callable[[], Result]) -> "Future[Result]":
        """Run a call in a thread of its own."""
        return self._threads.submit(call)

    def track(self, organization_id: int, future: "Future[Result]") -> None:
        """Count a call that exceeded its request until it ends."""
        with self._lock:
            self._counts[organization_id] += 1
        # A future that has ended in between calls back immediately, so no call is counted for ever.
        future.add_done_callback(lambda _: self._untrack(organization_id))

    def _untrack(self, organization_id: int) -> None:
        with self._lock:
            self._counts[organization_id] -= 1
            self._counts += Counter()  # drops the entries at zero


@dataclass
class PendingUpstreamCall:
    """A call to OpenAI that is still running after its request has ended."""

    future: "Future[Result]"
    context: CallContext
    started_at: float = field(default_factory=time.monotonic)
    _is_decided: Event = field(default_factory=Event)
    _is_deferred: bool = False

    def resolve(self, *, deferred: bool) -> None:
        """Set whether the answer is to be delivered, or whether the caller got an error instead."""
        self._is_deferred = deferred
        self._is_decided.set()

    def is_deferred(self) -> bool:
        """Wait for the decision, and return it."""
        return self._is_decided.wait(DEFERRAL_DECISION_TIMEOUT_SECONDS) and self._is_deferred

    def result(self, seconds: float) -> Result:
        """Return OpenAI's answer, or DeadlineExceeded if the function has not ended within that time."""
        try:
            return self.future.result(seconds)
        except TimeoutError:
            return DeadlineExceeded()


class PendingUpstreamCalls:
    """Registry of this process's pending upstream calls, by call id."""

    def __init__(self) -> None:
        self._calls: dict[str, PendingUpstreamCall] = {}

    def add(self, call: PendingUpstreamCall) -> None:
        """Add a call, and drop old answers that no workflow has collected."""
        oldest = time.monotonic() - MAX_AGE_SECONDS
        for call_id, other in list(self._calls.items()):  # a copy, because workflows take calls in other threads
            if other.started_at < oldest and other.future.done():
                self._calls.pop(call_id, None)
        self._calls[call.context.call_id] = call

    def take(self, call_id: str) -> PendingUpstreamCall | None:
        """Remove and return a call; None if it was enqueued unanswered, or started in a process that died."""
        return self._calls.pop(call_id, None)
