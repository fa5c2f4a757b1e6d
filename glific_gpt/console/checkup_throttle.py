"""Check-ups take turns: one of an organization at a time, and a pause after each that has asked a question."""

import threading
import time
from dataclasses import dataclass, field
from typing import cast

from flask import current_app

PAUSE_SECONDS = 30.0
EXTENSION = "glific_gpt_check_up_turns"


@dataclass
class Turns:
    """Of all organizations, in this process."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _running: set[str] = field(default_factory=set)
    _pause_until: dict[str, float] = field(default_factory=dict)

    def begin(self, slug: str) -> bool:
        """False while another one is running; otherwise it is to be ended."""
        with self._lock:
            is_free = slug not in self._running
            self._running.add(slug)
            return is_free

    def end(self, slug: str, *, has_asked: bool) -> None:
        with self._lock:
            self._running.discard(slug)
            if has_asked:
                self._pause_until[slug] = time.monotonic() + PAUSE_SECONDS

    def pause(self, slug: str) -> float:
        """Seconds until the next question may be asked."""
        with self._lock:
            return max(0.0, self._pause_until.get(slug, 0.0) - time.monotonic())


def turns() -> Turns:
    """The current app's."""
    return cast("Turns", current_app.extensions.setdefault(EXTENSION, Turns()))
