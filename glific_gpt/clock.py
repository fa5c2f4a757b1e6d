"""Current time, and the deadline that is passed through a call."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime


def now() -> datetime:
    """Return the current time in UTC, with its time zone."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Deadline:
    """The time by which a call must be answered. It is on the monotonic clock, which ignores changes of system time."""

    at: float
    """Seconds on `time.monotonic()`."""

    @classmethod
    def after(cls, seconds: float, start: float | None = None) -> "Deadline":
        """Return the deadline that many seconds after `start`, by default now."""
        return cls((time.monotonic() if start is None else start) + seconds)

    def remaining(self) -> float:
        """Return the seconds left; zero when the deadline has passed."""
        return max(0.0, self.at - time.monotonic())

    @property
    def passed(self) -> bool:
        return self.remaining() <= 0.0
