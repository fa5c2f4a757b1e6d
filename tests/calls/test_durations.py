"""Durations of calls do not depend on changes of the system's clock."""

from datetime import timedelta

from glific_gpt.calls import records
from glific_gpt.calls.context import CallContext
from glific_gpt.calls.tables import Call
from glific_gpt.clock import now

HOUR = timedelta(hours=1)


def test_a_clock_that_is_set_during_a_call_does_not_change_its_duration() -> None:
    for started_at in (now() + HOUR, now() - HOUR):
        _, values = records.finish_statement(CallContext(1, "parse_via_chat_gpt", started_at), None)
        assert 0 <= int(str(values["duration_ms"])) < 60_000


def test_a_deferred_call_never_has_a_negative_duration() -> None:
    call = Call(started_at=now() + HOUR)
    records.finish_pending(call, None)
    assert call.duration_ms == 0
