"""Outlasting: threads for calls to OpenAI that may outlast their request, and how many of those do."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock

from glific_gpt.calls.context import CallContext
from glific_gpt.calls.execution import Result
from glific_gpt.errors import DeadlineExceeded


class BackgroundCalls:
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


DEFERRAL_DECISION_TIMEOUT_SECONDS = 30.0
"""Far longer than a request needs to say whether it hands its call over."""

MAX_AGE_SECONDS = 900.0
"""How long an answer is kept for the work that is to take it, which may wait in the queue behind others; it would be
asked and paid for again. If another process has taken that work, nobody comes."""


@dataclass
class PendingUpstreamCall:
    """One call to OpenAI that is under way."""

    future: "Future[Result]"
    facts: CallContext
    begun: float = field(default_factory=time.monotonic)
    _decided: Event = field(default_factory=Event)
    _is_handed_over: bool = False

    def decide(self, *, handed_over: bool) -> None:
        """Says whether the answer is to come later, or whether nobody waits for it any more."""
        self._is_handed_over = handed_over
        self._decided.set()

    def result(self, seconds: float) -> Result:
        """What OpenAI said; DeadlineExceeded from a function that has not ended by then."""
        try:
            return self.future.result(seconds)
        except TimeoutError:
            return DeadlineExceeded()

    def is_handed_over(self) -> bool:
        """Waits for the decision."""
        return self._decided.wait(DEFERRAL_DECISION_TIMEOUT_SECONDS) and self._is_handed_over


class PendingUpstreamCalls:
    """The calls under way of one process, by their ids."""

    def __init__(self) -> None:
        self._flights: dict[str, PendingUpstreamCall] = {}

    def add(self, flight: PendingUpstreamCall) -> None:
        """Also forgets the answers for which nobody came."""
        long_ago = time.monotonic() - MAX_AGE_SECONDS
        for call_id, other in list(self._flights.items()):
            if other.begun < long_ago and other.future.done():
                self._flights.pop(call_id, None)
        self._flights[flight.facts.call_id] = flight

    def take(self, call_id: str) -> PendingUpstreamCall | None:
        """None when this process has no such call: it was accepted at once, or begun by a process that died."""
        return self._flights.pop(call_id, None)
