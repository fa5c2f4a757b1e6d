"""Request windows: the calls of the last minute, in memory."""

import threading
from datetime import UTC, datetime, timedelta

import time_machine
from limits import RateLimitItemPerMinute
from limits.strategies import MovingWindowRateLimiter

from glific_gpt.calls.request_limits import open_storage
from glific_gpt.calls.request_windows import RequestWindows

START = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
TWO = RateLimitItemPerMinute(2)


def test_contacts_without_a_recent_call_are_forgotten() -> None:
    windows = RequestWindows()
    limiter = MovingWindowRateLimiter(windows)
    with time_machine.travel(START, tick=False) as clock:
        for contact in range(500):
            limiter.hit(TWO, f"1/contacts/{contact}")
        clock.shift(30)
        limiter.hit(TWO, "1/contacts/0")
        clock.shift(31)
        assert limiter.hit(TWO, "1/contacts/0"), "one of two calls is older than a minute"
        assert not limiter.hit(TWO, "1/contacts/0")
    assert len(windows._times) == 1
    assert not windows.events


def test_a_window_ends_a_minute_after_its_first_call() -> None:
    limiter = MovingWindowRateLimiter(open_storage("memory://"))
    with time_machine.travel(START, tick=False) as clock:
        assert limiter.hit(TWO, "1")
        clock.shift(20)
        assert limiter.hit(TWO, "1")
        assert limiter.get_window_stats(TWO, "1") == (START.timestamp() + 60, 0)
        clock.shift(41)
        assert limiter.get_window_stats(TWO, "1") == ((START + timedelta(seconds=80)).timestamp(), 1)
        clock.shift(60)
        assert limiter.get_window_stats(TWO, "1").remaining == 2


def test_a_call_is_counted_without_a_thread() -> None:
    limiter = MovingWindowRateLimiter(open_storage("memory://"))
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):  # the library starts one when the storage is created
            thread.join()
    limiter.hit(TWO, "1")
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
