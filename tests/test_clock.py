"""The clock: times have a time zone, and a deadline counts down to zero."""

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine

from glific_gpt.clock import Deadline, midnight, now


def test_now_is_the_current_time_in_utc() -> None:
    assert now().tzinfo is UTC
    assert abs(now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_day_begins_at_midnight_of_its_time_zone() -> None:
    india = ZoneInfo("Asia/Kolkata")
    assert midnight(date(2026, 3, 10), india) == datetime(2026, 3, 9, 18, 30, tzinfo=UTC)
    assert midnight(date(2026, 3, 10)) == datetime(2026, 3, 10, tzinfo=UTC)
    assert midnight(date.min, india) == datetime.min.replace(tzinfo=UTC)
    last = midnight(date.max, ZoneInfo("America/Lima"))
    assert last.date() == date.max


def test_a_deadline_counts_down() -> None:
    deadline = Deadline.after(10)
    first = deadline.remaining()
    time.sleep(0.02)
    assert 9 < deadline.remaining() < first <= 10
    assert not deadline.passed


@pytest.mark.parametrize("seconds", [0, -1, -1e9])
def test_a_passed_deadline_has_no_time_left(seconds: float) -> None:
    deadline = Deadline.after(seconds)
    assert deadline.passed
    assert deadline.remaining() == 0.0


def test_a_deadline_ignores_changes_of_the_system_clock() -> None:
    deadline = Deadline(time.monotonic() + 10)
    with time_machine.travel(datetime(2050, 1, 1, tzinfo=UTC)):
        assert now().year == 2050
    assert not deadline.passed
