"""Calls that go on during a test, over connections that are used again, as Glific's client does."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

import httpx2

from tests.support import http
from tests.support.deferred import wait_until
from tests.support.server import TIMEOUT_SECONDS, TestOrganization

PAUSE_SECONDS = 0.2
WAIT_SECONDS = 90.0
QUESTION = {"question_text": "What is ORS?", "contact": {"id": 21}, "flow_id": "5", "organization_id": 17}


@dataclass
class SteadyCalls:
    """Counts the calls by their result: `ok`, `pending`, an error code, or the error of a connection or a proxy."""

    results: Counter[str] = field(default_factory=Counter)
    ids: dict[str, set[str]] = field(default_factory=lambda: {"ok": set(), "pending": set()})
    """Ids of the calls with these results."""
    stopped: Event = field(default_factory=Event)
    _lock: Lock = field(default_factory=Lock)

    def lost(self) -> dict[str, int]:
        """Return the results that are no answers of the server. A busy machine may refuse calls."""
        answers = {"ok", "pending", "overloaded", "deadline_exceeded"}
        return {result: number for result, number in self.results.items() if result not in answers}

    def run(self, organization: TestOrganization, mode: str, *, keep_alive: bool) -> None:
        """Call until the test stops it."""
        limits = httpx2.Limits(max_keepalive_connections=10 if keep_alive else 0)
        headers = {"Authorization": f"Bearer {organization.token}"}
        with http.Client(timeout=TIMEOUT_SECONDS, limits=limits, headers=headers) as client:
            while not self.stopped.is_set():
                self._call(client, f"{organization.url}?mode={mode}")
                time.sleep(PAUSE_SECONDS)

    def _call(self, client: httpx2.Client, url: str) -> None:
        try:
            response = client.post(url, json=QUESTION)
            body = response.json()
        except httpx2.TransportError as error:
            self._add(type(error).__name__, "")
        except ValueError:  # a page of the proxy
            self._add(f"status {response.status_code}", "")
        else:
            self._add(body.get("error_code") or body["status"], body["call_id"])

    def _add(self, result: str, call_id: str) -> None:
        with self._lock:
            self.results[result] += 1
            self.ids.setdefault(result, set()).add(call_id)

    def wait_for(self, number: int) -> None:
        """Wait until this many more calls have ended."""
        target = self.results.total() + number
        wait_until(lambda: self.results.total() >= target, WAIT_SECONDS)


@contextmanager
def steady_calls(organization: TestOrganization, modes: Sequence[str] = ("sync",)) -> Iterator[SteadyCalls]:
    """Call the organization's webhook during the block: in each mode two clients, one of which keeps its connection."""
    calls = SteadyCalls()
    threads = [
        Thread(target=calls.run, args=(organization, mode), kwargs={"keep_alive": kept})
        for mode in modes
        for kept in (True, False)
    ]
    for thread in threads:
        thread.start()
    try:
        yield calls
    finally:
        calls.stopped.set()
        for thread in threads:
            thread.join()
