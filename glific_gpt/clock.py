"""The time: now, and a deadline that is handed down through a call."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime


def now() -> datetime:
    """The current moment, in UTC, with its time zone."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Deadline:
    """A moment, on the monotonic clock, by which a call must have been answered."""

    at: float
    """Seconds on `time.monotonic()`."""

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """The deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Seconds left; zero when it has passed."""
        return max(0.0, self.at - time.monotonic())

    @property
    def passed(self) -> bool:
        return self.remaining() <= 0.0
