"""The overview: totals and answer times of an organization's calls in a period."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from unittest.mock import Mock
from zoneinfo import ZoneInfo

import pytest
import time_machine

from glific_gpt.calls.daily_totals import OTHER_MODELS
from glific_gpt.clock import midnight
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from glific_gpt.usage import reports, totals
from glific_gpt.usage.reports import Days, Overview, build_overview
from glific_gpt.usage.totals import UsageTotals
from tests.support.call_records import create_call, create_delivery
from tests.support.server import RunningServer, TestOrganization

TODAY = date(2026, 3, 10)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MIDNIGHT = NOON.replace(hour=0)


def overview_at_noon(organization: TestOrganization, days: Days = 7) -> Overview:
    with time_machine.travel(NOON), organization.server.app.app_context(), transaction() as session:
        return build_overview(session, store.find(session, organization.slug).id, days)


def test_days_without_calls_have_zeros(alice: TestOrganization) -> None:
    overview = overview_at_noon(alice)
    assert list(overview.days) == [TODAY - n * DAY for n in range(6, -1, -1)]
    assert set(overview.days.values()) == {UsageTotals()} == {overview.total, overview.previous}
    assert overview.total.failure_share == overview.synchronous.too_late == 0
    assert (overview.models, overview.errors) == ({}, {})
    assert (overview.synchronous.p50_ms, overview.synchronous.p95_ms, overview.synchronous.late) == (None, None, 0)


def test_days_begin_at_midnight_utc(alice: TestOrganization) -> None:
    create_call(alice, at=MIDNIGHT)
    create_call(alice, at=MIDNIGHT - timedelta(microseconds=1))
    create_call(alice, at=MIDNIGHT - timedelta(hours=23, minutes=59))
    calls = {day: totals.calls for day, totals in overview_at_noon(alice).days.items() if totals.calls}
    assert calls == {TODAY: 1, TODAY - DAY: 2}


@pytest.mark.both_databases
@pytest.mark.parametrize("name", ["Asia/Kolkata", "America/New_York", "Pacific/Kiritimati"])
def test_days_are_those_of_the_time_zone_also_when_its_clocks_change(
    alice: TestOrganization, name: str, database_url: str
) -> None:
    zone = ZoneInfo(name)
    times = [NOON - timedelta(hours=5 * hours, minutes=7) for hours in range(17)]
    change = datetime(2026, 3, 8, 7, tzinfo=UTC)  # in New York, after a Saturday and a part of Sunday in winter time
    times += [change - timedelta(seconds=1), change, *(midnight(date(2026, 3, day), zone) for day in (7, 8, 9, 10))]
    times += [midnight(date(2026, 3, day), zone) - timedelta(microseconds=1) for day in (8, 9, 10)]
    for at in times:
        create_call(alice, at=at)
    with time_machine.travel(NOON), alice.server.app.app_context(), transaction() as session:
        overview = build_overview(session, store.find(session, alice.slug).id, 7, zone)
    counted = {day: totals.calls for day, totals in overview.days.items() if totals.calls}
    assert counted == Counter(at.astimezone(zone).date() for at in times)
    assert list(overview.days)[-1] == NOON.astimezone(zone).date()
    assert overview.synchronous.calls == overview.total.calls == len(times)


def test_it_adds_up_calls_failures_tokens_and_cost(alice: TestOrganization) -> None:
    create_call(alice, at=NOON, input_tokens=100, output_tokens=20, cost_usd=Decimal("0.000000001"))
    create_call(alice, at=NOON, input_tokens=7, output_tokens=3, cost_usd=Decimal("12.5"))
    create_call(alice, "error", at=NOON, error_code="deadline_exceeded")
    create_call(alice, "interrupted", at=NOON)
    total = overview_at_noon(alice).total
    assert total == overview_at_noon(alice).days[TODAY]
    assert total == UsageTotals(4, 2, 107, 23, Decimal("12.500000001"), 0)
    assert (total.tokens, total.failure_share) == (130, 0.5)


def test_unfinished_calls_are_not_failures(alice: TestOrganization) -> None:
    create_call(alice, "started", at=NOON)
    create_call(alice, "pending", at=NOON, error_code="insufficient_quota")  # not delivered yet
    overview = overview_at_noon(alice)
    assert (overview.total.calls, overview.total.failures, overview.errors) == (2, 0, {})


def test_calls_without_a_known_price_are_counted(alice: TestOrganization) -> None:
    create_call(alice, at=NOON, cost_usd=None)
    create_call(alice, "error", at=NOON, error_code="empty_question")  # used nothing
    assert overview_at_noon(alice).total.unpriced == 1


def test_requested_models_are_listed_the_most_used_first(alice: TestOrganization) -> None:
    for _ in range(2):
        create_call(alice, at=NOON)
    create_call(alice, "error", at=NOON - DAY, error_code="deadline_exceeded")
    create_call(alice, at=NOON, model_asked="gpt-5", model_used="gpt-5-2025-08-07")
    create_call(alice, "error", at=NOON, model_asked=None, error_code="invalid_json")
    models = overview_at_noon(alice).models
    assert [(model, totals.calls, totals.failures) for model, totals in models.items()] == [
        ("gpt-4o", 3, 1),
        (None, 1, 1),
        ("gpt-5", 1, 0),
    ]
    assert models["gpt-4o"].cost_usd == Decimal("0.002")


def test_all_models_but_the_most_used_are_one_group(alice: TestOrganization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "MAX_MODELS", 2)
    for number, model in enumerate(("gpt-a", "gpt-b", "gpt-c", "gpt-d", None)):
        for _ in range(number + 1):
            create_call(alice, at=NOON, model_asked=model)
    create_call(alice, "error", at=NOON - DAY, error_code="refused", model_asked="gpt-a")
    for _ in range(9):  # in the previous period
        create_call(alice, at=NOON - 8 * DAY, model_asked="gpt-a")
    overview = overview_at_noon(alice)
    assert [(model, totals.calls, totals.failures) for model, totals in overview.models.items()] == [
        (None, 5, 0),
        ("gpt-d", 4, 0),
        ("gpt-c", 3, 0),
        (OTHER_MODELS, 4, 1),
    ]
    assert sum(overview.models.values(), UsageTotals()) == overview.total


def test_the_database_groups_the_models(alice: TestOrganization, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(70):
        create_call(alice, at=NOON, model_asked=f"gpt-{number}")
    read_groups = Mock(wraps=totals.totals_of_group)
    monkeypatch.setattr(totals, "totals_of_group", read_groups)
    assert len(overview_at_noon(alice).models) == 51
    assert read_groups.call_count == 52, "a day, 50 models, and the others"


def test_errors_are_listed_the_most_frequent_first(alice: TestOrganization) -> None:
    create_call(alice, "error", at=NOON, error_code="rate_limited")
    create_call(alice, "interrupted", at=NOON)
    for model in ("gpt-4o", "gpt-5"):
        create_call(alice, "error", at=NOON, error_code="refused", model_asked=model)
    assert list(overview_at_noon(alice).errors.items()) == [("refused", 2), ("interrupted", 1), ("rate_limited", 1)]


@pytest.mark.parametrize("days", [7, 30, 90])
def test_the_previous_period_has_the_same_length(alice: TestOrganization, days: Days) -> None:
    first = MIDNIGHT - (days - 1) * DAY
    create_call(alice, at=first)
    microsecond = timedelta(microseconds=1)
    create_call(alice, at=first - microsecond, input_tokens=1)
    create_call(alice, at=first - days * DAY, input_tokens=2)
    create_call(alice, at=first - days * DAY - microsecond, input_tokens=4)
    overview = overview_at_noon(alice, days)
    assert len(overview.days) == days
    assert (overview.total.calls, overview.previous.calls, overview.previous.input_tokens) == (1, 2, 3)
    assert overview.models["gpt-4o"].calls == overview.synchronous.calls == 1


def test_the_period_can_end_on_another_day(alice: TestOrganization) -> None:
    create_call(alice, at=NOON)
    create_call(alice, at=NOON - DAY, input_tokens=5)
    with alice.server.app.app_context(), transaction() as session:
        overview = build_overview(session, store.find(session, alice.slug).id, 7, today=TODAY - DAY)
    assert (max(overview.days), overview.total.calls, overview.total.input_tokens) == (TODAY - DAY, 1, 5)


def test_half_of_the_answers_are_no_slower_than_p50(alice: TestOrganization) -> None:
    for milliseconds in range(100, 2100, 100):
        create_call(alice, at=NOON, duration_ms=milliseconds - 5)
    overview = overview_at_noon(alice).synchronous
    assert (overview.calls, overview.p50_ms, overview.p95_ms) == (20, 1000, 1900)


def test_one_answer_is_its_own_p50_and_p95(alice: TestOrganization) -> None:
    create_call(alice, at=NOON, duration_ms=0)
    assert (overview_at_noon(alice).synchronous.p50_ms, overview_at_noon(alice).synchronous.p95_ms) == (10, 10)


def test_the_last_bucket_starts_at_glifics_time_out(alice: TestOrganization) -> None:
    edges = (0, 499, 500, 999, 1000, 1999, 2000, 2999, 3000, 3999, 4000, 4999, 5000, 5001, 70_000)
    for milliseconds in edges:
        create_call(alice, at=NOON, duration_ms=milliseconds)
    overview = overview_at_noon(alice).synchronous
    assert [bucket.calls for bucket in overview.buckets] == [2, 2, 2, 2, 2, 2, 3]
    assert [(bucket.from_ms, bucket.to_ms) for bucket in overview.buckets][-2:] == [(4000, 5000), (5000, None)]
    assert (overview.late, overview.too_late) == (3, 3)


def test_failures_do_not_count_as_answers(alice: TestOrganization) -> None:
    create_call(alice, "error", at=NOON, error_code="deadline_exceeded", duration_ms=4600)
    create_call(alice, "error", at=NOON, error_code="refused")
    create_call(alice, "started", at=NOON, duration_ms=None)
    times = overview_at_noon(alice).synchronous
    assert (times.calls, times.timed_out, times.too_late) == (0, 1, 1)


def test_people_without_an_answer_in_time_are_counted_whether_it_was_late_or_timed_out(alice: TestOrganization) -> None:
    create_call(alice, at=NOON, duration_ms=5000)
    create_call(alice, at=NOON, duration_ms=4999)
    create_call(alice, "error", at=NOON, error_code="deadline_exceeded", duration_ms=4500)
    create_delivery(alice, "delivered", at=NOON, status="error", error_code="deadline_exceeded", duration_ms=110_000)
    overview = overview_at_noon(alice)
    assert (overview.synchronous.late, overview.synchronous.timed_out, overview.synchronous.too_late) == (1, 1, 2)
    assert overview.deferred.timed_out == 1


def test_deferred_answers_do_not_count_as_late(alice: TestOrganization) -> None:
    create_call(alice, at=NOON, duration_ms=900)
    create_delivery(alice, "delivered", at=NOON, duration_ms=42_000)
    overview = overview_at_noon(alice)
    assert (overview.synchronous.calls, overview.synchronous.late, overview.synchronous.p95_ms) == (1, 0, 910)
    assert (overview.deferred.calls, overview.deferred.p50_ms) == (1, 42_010)


def test_the_overview_ignores_other_organizations(alice: TestOrganization, bob: TestOrganization) -> None:
    before = overview_at_noon(alice)
    create_call(bob, at=NOON, model_asked="gpt-bob")
    create_call(bob, "error", at=NOON - 8 * DAY, error_code="refused")
    create_delivery(bob, "delivered", at=NOON)
    assert overview_at_noon(alice) == before
    assert (overview_at_noon(bob).total.calls, overview_at_noon(bob).previous.failures) == (2, 1)


def test_it_includes_real_calls(server: RunningServer, alice: TestOrganization) -> None:
    alice.ask()
    alice.ask("")
    with server.app.app_context(), transaction() as session:
        overview = build_overview(session, store.find(session, alice.slug).id, 7)
    assert (overview.total.calls, overview.total.failures, overview.errors) == (2, 1, {"empty_question": 1})
    assert overview.total.tokens > 0
    assert overview.synchronous.calls == 1
