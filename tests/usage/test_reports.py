"""The overview: what an organization's calls of a period add up to."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from glific_gpt.database import transaction
from glific_gpt.organizations import store
from glific_gpt.usage.reports import Days, Overview, build_overview
from glific_gpt.usage.totals import UsageTotals
from tests.support.house import House, Ngo
from tests.support.recorded import record, record_delivery

TODAY = date(2026, 3, 10)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MIDNIGHT = NOON.replace(hour=0)


def seen(ngo: Ngo, days: Days = 7) -> Overview:
    """At noon."""
    with time_machine.travel(NOON), ngo.house.app.app_context(), transaction() as session:
        return build_overview(session, store.find(session, ngo.slug).id, days)


def test_an_organization_without_calls_has_zeros_for_every_day(alice: Ngo) -> None:
    found = seen(alice)
    assert list(found.days) == [TODAY - n * DAY for n in range(6, -1, -1)]
    assert set(found.days.values()) == {UsageTotals()} == {found.total, found.before}
    assert found.total.failure_share == found.in_time.late_share == 0
    assert (found.models, found.errors) == ({}, {})
    assert (found.in_time.p50_ms, found.in_time.p95_ms, found.in_time.late) == (None, None, 0)


def test_days_begin_at_midnight_utc(alice: Ngo) -> None:
    record(alice, at=MIDNIGHT)
    record(alice, at=MIDNIGHT - timedelta(microseconds=1))
    record(alice, at=MIDNIGHT - timedelta(hours=23, minutes=59))
    calls = {day: figures.calls for day, figures in seen(alice).days.items() if figures.calls}
    assert calls == {TODAY: 1, TODAY - DAY: 2}


def test_it_adds_up_calls_failures_tokens_and_cost(alice: Ngo) -> None:
    record(alice, at=NOON, input_tokens=100, output_tokens=20, cost_usd=Decimal("0.000000001"))
    record(alice, at=NOON, input_tokens=7, output_tokens=3, cost_usd=Decimal("12.5"))
    record(alice, "error", at=NOON, error_code="deadline_exceeded")
    record(alice, "interrupted", at=NOON)
    total = seen(alice).total
    assert total == seen(alice).days[TODAY]
    assert total == UsageTotals(4, 2, 107, 23, Decimal("12.500000001"), 0)
    assert (total.tokens, total.failure_share) == (130, 0.5)


def test_calls_on_their_way_are_calls_and_no_failures(alice: Ngo) -> None:
    record(alice, "started", at=NOON)
    record(alice, "pending", at=NOON, error_code="insufficient_quota")  # its flow has not been told yet
    found = seen(alice)
    assert (found.total.calls, found.total.failures, found.errors) == (2, 0, {})


def test_it_says_for_how_many_calls_no_price_is_known(alice: Ngo) -> None:
    record(alice, at=NOON, cost_usd=None)
    record(alice, "error", at=NOON, error_code="empty_question")  # used nothing
    assert seen(alice).total.unpriced == 1


def test_models_are_those_that_were_to_be_used_the_most_used_first(alice: Ngo) -> None:
    for _ in range(2):
        record(alice, at=NOON)
    record(alice, "error", at=NOON - DAY, error_code="deadline_exceeded")
    record(alice, at=NOON, model_asked="gpt-5", model_used="gpt-5-2025-08-07")
    record(alice, "error", at=NOON, model_asked=None, error_code="invalid_json")
    models = seen(alice).models
    assert [(model, figures.calls, figures.failures) for model, figures in models.items()] == [
        ("gpt-4o", 3, 1),
        (None, 1, 1),
        ("gpt-5", 1, 0),
    ]
    assert models["gpt-4o"].cost_usd == Decimal("0.002")


def test_errors_are_counted_the_most_frequent_first(alice: Ngo) -> None:
    record(alice, "error", at=NOON, error_code="rate_limited")
    record(alice, "interrupted", at=NOON)
    for model in ("gpt-4o", "gpt-5"):
        record(alice, "error", at=NOON, error_code="refused", model_asked=model)
    assert list(seen(alice).errors.items()) == [("refused", 2), ("interrupted", 1), ("rate_limited", 1)]


@pytest.mark.parametrize("days", [7, 30, 90])
def test_the_period_before_is_as_long_and_apart(alice: Ngo, days: Days) -> None:
    first = MIDNIGHT - (days - 1) * DAY
    record(alice, at=first)
    moment = timedelta(microseconds=1)
    record(alice, at=first - moment, input_tokens=1)
    record(alice, at=first - days * DAY, input_tokens=2)
    record(alice, at=first - days * DAY - moment, input_tokens=4)
    found = seen(alice, days)
    assert len(found.days) == days
    assert (found.total.calls, found.before.calls, found.before.input_tokens) == (1, 2, 3)
    assert found.models["gpt-4o"].calls == found.in_time.calls == 1


def test_it_can_end_on_another_day(alice: Ngo) -> None:
    record(alice, at=NOON)
    record(alice, at=NOON - DAY, input_tokens=5)
    with alice.house.app.app_context(), transaction() as session:
        found = build_overview(session, store.find(session, alice.slug).id, 7, today=TODAY - DAY)
    assert (max(found.days), found.total.calls, found.total.input_tokens) == (TODAY - DAY, 1, 5)


def test_half_of_the_answers_are_no_slower_than_p50(alice: Ngo) -> None:
    for milliseconds in range(100, 2100, 100):
        record(alice, at=NOON, duration_ms=milliseconds - 5)
    found = seen(alice).in_time
    assert (found.calls, found.p50_ms, found.p95_ms) == (20, 1000, 1900)


def test_one_answer_is_its_own_p50_and_p95(alice: Ngo) -> None:
    record(alice, at=NOON, duration_ms=0)
    assert (seen(alice).in_time.p50_ms, seen(alice).in_time.p95_ms) == (10, 10)


def test_the_last_bar_begins_where_glific_gives_up(alice: Ngo) -> None:
    edges = (0, 499, 500, 999, 1000, 1999, 2000, 2999, 3000, 3999, 4000, 4999, 5000, 5001, 70_000)
    for milliseconds in edges:
        record(alice, at=NOON, duration_ms=milliseconds)
    found = seen(alice).in_time
    assert [bar.calls for bar in found.bars] == [2, 2, 2, 2, 2, 2, 3]
    assert [(bar.from_ms, bar.to_ms) for bar in found.bars][-2:] == [(4000, 5000), (5000, None)]
    assert (found.late, found.late_share) == (3, 0.2)


def test_failures_are_no_answers(alice: Ngo) -> None:
    record(alice, "error", at=NOON, error_code="deadline_exceeded", duration_ms=4600)
    record(alice, "started", at=NOON, duration_ms=None)
    assert seen(alice).in_time.calls == 0


def test_answers_that_came_later_do_not_count_against_the_five_seconds(alice: Ngo) -> None:
    record(alice, at=NOON, duration_ms=900)
    record_delivery(alice, "delivered", at=NOON, duration_ms=42_000)
    found = seen(alice)
    assert (found.in_time.calls, found.in_time.late, found.in_time.p95_ms) == (1, 0, 910)
    assert (found.later.calls, found.later.p50_ms) == (1, 42_010)


def test_nothing_of_bobs_is_in_alices_numbers(alice: Ngo, bob: Ngo) -> None:
    nothing = seen(alice)
    record(bob, at=NOON, model_asked="gpt-bob")
    record(bob, "error", at=NOON - 8 * DAY, error_code="refused")
    record_delivery(bob, "delivered", at=NOON)
    assert seen(alice) == nothing
    assert (seen(bob).total.calls, seen(bob).before.failures) == (2, 1)


def test_real_calls_are_in_it(house: House, alice: Ngo) -> None:
    alice.ask()
    alice.ask("")
    with house.app.app_context(), transaction() as session:
        found = build_overview(session, store.find(session, alice.slug).id, 7)
    assert (found.total.calls, found.total.failures, found.errors) == (2, 1, {"empty_question": 1})
    assert found.total.tokens > 0
    assert found.in_time.calls == 1
