"""Throttle of the setup test: one at a time for each organization, and a pause after each that asked a question."""

import threading
import time
from dataclasses import dataclass, field
from typing import cast

from flask import current_app

PAUSE_AFTER_QUESTION_SECONDS = 30.0
EXTENSION = "glific_gpt_check_up_throttle"


@dataclass
class CheckUpThrottle:
    """State of all organizations in this process.

    Other processes do not know it. The aim is to stop a double click from costing twice, not to bill exactly.
    """

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _running: set[str] = field(default_factory=set)
    _pause_until: dict[str, float] = field(default_factory=dict)

    def try_begin(self, slug: str) -> bool:
        """Mark a test as running. Returns False if one is running already; otherwise `end` must be called."""
        with self._lock:
            is_free = slug not in self._running
            self._running.add(slug)
            return is_free

    def end(self, slug: str, *, has_asked: bool) -> None:
        """Mark the test as finished. `has_asked` starts the pause before the next question."""
        with self._lock:
            self._running.discard(slug)
            if has_asked:
                self._pause_until[slug] = time.monotonic() + PAUSE_AFTER_QUESTION_SECONDS

    def remaining_seconds(self, slug: str) -> float:
        """Return the seconds until the next question can be asked."""
        with self._lock:
            return max(0.0, self._pause_until.get(slug, 0.0) - time.monotonic())


def throttle() -> CheckUpThrottle:
    """Return the throttle of the current app."""
    return cast("CheckUpThrottle", current_app.extensions.setdefault(EXTENSION, CheckUpThrottle()))
