"""The clock: times have a time zone, and a deadline counts down to zero."""

import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from glific_gpt.clock import Deadline, now


def test_now_is_the_current_time_in_utc() -> None:
    assert now().tzinfo is UTC
    assert abs(now() - datetime.now(UTC)) < timedelta(seconds=5)


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
