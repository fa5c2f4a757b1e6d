"""Current time, and the deadline that is passed through a call."""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from datetime import time as time_of_day


def now() -> datetime:
    """Return the current time in UTC, with its time zone."""
    return datetime.now(UTC)


def midnight(day: date, zone: tzinfo = UTC) -> datetime:
    """Return the start of the day in the time zone, as a time in UTC.

    At the ends of the calendar, where UTC may have no such time, it is the midnight of UTC.
    """
    try:
        return datetime.combine(day, time_of_day(), zone).astimezone(UTC)
    except OverflowError:
        return datetime.combine(day, time_of_day(), UTC)


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
