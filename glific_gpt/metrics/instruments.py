"""The metrics that processes count, with their labels and buckets.

A label has few values, which are known before: none is taken from a request, and none names an organization or person.
"""

import os
import time
from typing import get_args

from prometheus_client import Counter, Gauge, Histogram, values
from prometheus_client.values import MultiProcessValue

from glific_gpt.errors import ErrorClass
from glific_gpt.metrics.files import Slot

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""The variable in which prometheus_client finds the folder when it opens a file."""

CALL_BUCKETS = (0.1, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 10)
"""Seconds. A synchronous call has 4.5, and Glific waits for 5."""
OPENAI_BUCKETS = (0.25, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 7.5, 10, 20, 30, 60, 110)
"""Seconds. A deferred call has 110."""
DEFERRED_BUCKETS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 900)


class Instruments:
    """The metrics of this process, in the files of its slot."""

    def __init__(self, slot: Slot, kind: str) -> None:
        self._slot = slot
        self._values = values.ValueClass = MultiProcessValue(process_identifier=lambda: slot.name)
        before = os.environ.get(FOLDER_VARIABLE)
        os.environ[FOLDER_VARIABLE] = str(slot.folder)
        try:
            self._create(kind)
        finally:  # every file is open now, and a child process has a slot of its own
            if before is None:
                del os.environ[FOLDER_VARIABLE]
            else:
                os.environ[FOLDER_VARIABLE] = before

    def close(self) -> None:
        """Close the files, and free the slot."""
        self._values.close_all_files()
        os.close(self._slot.lock)

    def _create(self, kind: str) -> None:
        self.calls = _counter(
            "calls", "Calls that have ended, as in the table of calls. Status refused: answered with an error, without "
            "an entry there.", "function", "mode", "status", "error_code",
        )  # fmt: skip
        self.failures = _counter(
            "calls_failed",
            "Those of these calls that ended with an error, by the party that can fix it.",
            "error_class",
        )
        self.replays = _counter("replayed_answers", "Repeated calls that got the stored answer.")
        self.openai_failures = _counter(
            "openai_failures", "Attempts to ask OpenAI that failed, by HTTP status or failure of the network.", "cause"
        )
        self.fallback_answers = _counter(
            "fallback_answers", "Questions that the fallback model of an organization answered."
        )
        self.sign_in_failures = _counter("sign_in_failures", "Wrong passwords and codes in the console.")
        self.sign_ins_throttled = _counter("sign_ins_throttled", "Attempts to sign in that the limits refused.")
        self.loop_blocked = _counter(
            "event_loop_blocked", "Times that something kept a process from running calls for over 0.25 seconds."
        )
        self.call_seconds = _histogram(
            "call_seconds", "From the arrival of a webhook call to its answer, which may be pending.", CALL_BUCKETS
        )
        self.openai_seconds = _histogram(
            "openai_seconds", "Time of a question to OpenAI, with repeated attempts.", OPENAI_BUCKETS
        )
        self.deferred_seconds = _histogram(
            "deferred_seconds", "From the arrival of a deferred call to the end of its delivery.", DEFERRED_BUCKETS
        )
        self.in_flight = _gauge("calls_in_flight", "Calls that servers are working on in a request.", "livesum")
        self.processes = _gauge("processes", "Processes that share this folder of metrics.", "livesum", "kind")
        self.started_at = _gauge(
            "process_start_time_seconds", "When the newest process started, in seconds since 1970.", "livemax", "kind"
        )
        self.housekeeping_at = _gauge(
            "housekeeping_success_time_seconds", "When housekeeping succeeded last, in seconds since 1970.", "livemax"
        )
        self.secrets_unreadable = _gauge(
            "secrets_unreadable", "Secrets that the process with the fewest keys cannot decrypt.", "livemax"
        )
        for error_class in get_args(ErrorClass):
            self.failures.labels(error_class)  # from zero on, because `increase()` does not see how a series begins
        self.processes.labels(kind).set(1)
        self.started_at.labels(kind).set(time.time())


def _counter(name: str, description: str, *labels: str) -> Counter:
    return Counter(f"glific_gpt_{name}", description, labels, registry=None)


def _histogram(name: str, description: str, buckets: tuple[float, ...]) -> Histogram:
    return Histogram(f"glific_gpt_{name}", description, buckets=buckets, registry=None)


def _gauge(name: str, description: str, mode: str, *labels: str) -> Gauge:
    return Gauge(f"glific_gpt_{name}", description, labels, registry=None, multiprocess_mode=mode)  # type: ignore[arg-type]
