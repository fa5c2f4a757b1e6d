"""In flight: calls to OpenAI that this process began in a request, and that outlast it."""

import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Event

from glific_gpt.calls.carrying_out import Result
from glific_gpt.calls.records import Facts
from glific_gpt.errors import DeadlineExceeded

DECISION_SECONDS = 30.0
"""Far longer than a request needs to say whether it hands its call over."""

KEEP_SECONDS = 900.0
"""How long an answer is kept for the work that is to take it, which may wait in the queue behind others; it would be
asked and paid for again. If another process has taken that work, nobody comes."""


@dataclass
class Flight:
    """One call to OpenAI that is under way."""

    future: "Future[Result]"
    facts: Facts
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
        return self._decided.wait(DECISION_SECONDS) and self._is_handed_over


class InFlight:
    """The calls under way of one process, by their ids."""

    def __init__(self) -> None:
        self._flights: dict[str, Flight] = {}

    def add(self, flight: Flight) -> None:
        """Also forgets the answers for which nobody came."""
        long_ago = time.monotonic() - KEEP_SECONDS
        for call_id, other in list(self._flights.items()):
            if other.begun < long_ago and other.future.done():
                self._flights.pop(call_id, None)
        self._flights[flight.facts.call_id] = flight

    def take(self, call_id: str) -> Flight | None:
        """None when this process has no such call: it was accepted at once, or begun by a process that died."""
        return self._flights.pop(call_id, None)
