"""The monthly report: calls, people, times and cost in the organization's time zone, also after calls were deleted."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import time_machine

from glific_gpt.calls import pruning
from glific_gpt.calls.daily_totals import OTHER_MODELS
from glific_gpt.database import reading
from glific_gpt.organizations import store
from glific_gpt.usage import monthly_report, report_query
from glific_gpt.usage.monthly_report import MonthlyReport, build_report, build_totals
from glific_gpt.usage.months import Month, find_month, list_months
from glific_gpt.usage.report_lines import ReportLine
from glific_gpt.usage.report_query import OTHER_FLOWS
from tests.support.call_records import create_call, create_delivery
from tests.support.server import RunningServer, TestOrganization
from tests.support.serving import open_database

UTC_ZONE = ZoneInfo("UTC")
INDIA = ZoneInfo("Asia/Kolkata")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NOVEMBER = Month(date(2026, 11, 1), UTC_ZONE)


@pytest.fixture
def server(database_url: str) -> Iterator[RunningServer]:
    """The database of a server that does not run, at NOON."""
    with open_database(database_url=database_url) as server, time_machine.travel(NOON, tick=False):
        yield server


def report_of(organization: TestOrganization, month: Month = NOVEMBER) -> MonthlyReport:
    with organization.server.app.app_context(), reading() as session:
        return build_report(session, store.find(session, organization.slug).id, month)


def totals_of(server: RunningServer, *organizations: TestOrganization) -> list[ReportLine]:
    with server.app.app_context(), reading() as session:
        ids = [store.find(session, organization.slug).id for organization in organizations]
        reports = build_totals(session, ids, NOVEMBER)
    return [reports[id_].total for id_ in ids]


def prune(server: RunningServer, days: int) -> int:
    with server.app.app_context():
        return sum(pruning.prune(pruning.first_kept_moment(days)))


@pytest.mark.both_databases
def test_it_counts_calls_people_answers_in_time_and_cost(alice: TestOrganization, server: RunningServer) -> None:
    create_call(alice, contact_id=21, flow_id=5, duration_ms=4999)
    create_call(alice, contact_id=21, flow_id=5, duration_ms=5000, cost_usd=None)
    create_call(alice, contact_id=22, flow_id=6, is_test=True, model_asked="gpt-5")
    create_call(alice, contact_forgotten=True)
    create_call(alice, "error", contact_id=23, error_code="refused", model_asked=None)
    create_call(alice, "started", contact_id=24)
    create_delivery(alice, "delivered", contact_id=25, duration_ms=20_000)
    create_delivery(alice, "undelivered", status="error", error_code="undelivered", duration_ms=900)
    report = report_of(alice)
    assert report.total == ReportLine(8, 5, 4, 2, 3, 1, 1, 600, 1, Decimal("0.004"))
    assert report.total.in_time_share == 0.5
    assert {model: (line.calls, line.people) for model, line in report.models.items()} == {
        "gpt-4o": (6, 2),
        None: (1, 0),
        "gpt-5": (1, 1),
    }
    assert [(flow, line.calls, line.people) for flow, line in report.flows.items()] == [
        (None, 5, 1),
        (5, 2, 1),
        (6, 1, 1),
    ]
    assert totals_of(server, alice) == [report.total]


@pytest.mark.both_databases
def test_an_organization_has_only_its_own_calls(
    alice: TestOrganization, bob: TestOrganization, server: RunningServer
) -> None:
    create_call(alice, contact_id=21)
    create_call(bob, contact_id=21)
    create_call(bob, contact_id=22)
    assert (report_of(alice).total.people, report_of(bob).total.people) == (1, 2)
    assert [line.calls for line in totals_of(server, bob, alice)] == [2, 1]


def test_a_month_begins_and_ends_at_midnight_of_the_time_zone(alice: TestOrganization) -> None:
    november = Month(date(2026, 11, 1), INDIA)
    assert (november.start, november.end) == (
        datetime(2026, 10, 31, 18, 30, tzinfo=UTC),
        datetime(2026, 11, 30, 18, 30, tzinfo=UTC),
    )
    for at in (november.start - timedelta(microseconds=1), november.start, november.end - timedelta(microseconds=1)):
        create_call(alice, at=at)
    create_call(alice, at=november.end)
    assert report_of(alice, november).total.calls == 2


def test_an_empty_month_has_zeros(alice: TestOrganization) -> None:
    assert report_of(alice) == MonthlyReport(NOVEMBER, ReportLine())
    assert report_of(alice).total.in_time_share == 0


@pytest.mark.both_databases
def test_deleted_calls_stay_in_the_report_without_people_and_flows(
    alice: TestOrganization, bob: TestOrganization, server: RunningServer
) -> None:
    create_call(bob, at=NOON - 5 * DAY)
    for at in (NOON - 5 * DAY, NOON):
        create_call(alice, at=at, contact_id=21, flow_id=5)
        create_call(alice, at=at, contact_id=22, duration_ms=5001, model_asked="gpt-5", cost_usd=None)
        create_call(alice, "error", at=at, error_code="refused")
        create_delivery(alice, "delivered", at=at, ended_at=at, question=None, duration_ms=9000)
    create_call(alice, at=NOON - 40 * DAY)
    before = report_of(alice)
    assert prune(server, 2) == 6
    after = report_of(alice)
    assert after.total == replace(before.total, people=2)
    assert after.deleted == ReportLine(4, 3, 2, 1, 0, 0, 0, 360, 1, Decimal("0.002"))
    assert {model: replace(line, people=0) for model, line in after.models.items()} == {
        model: replace(line, people=0) for model, line in before.models.items()
    }
    assert sum(after.flows.values(), after.deleted).calls == 8
    assert totals_of(server, alice, bob) == [after.total, report_of(bob).total]


def test_a_deleted_call_belongs_to_the_month_of_its_day_in_utc(alice: TestOrganization, server: RunningServer) -> None:
    november = Month(date(2026, 11, 1), INDIA)
    create_call(alice, at=november.start)  # 31 October in UTC
    assert report_of(alice, november).total.calls == 1
    assert prune(server, 2) == 1
    assert report_of(alice, november).total.calls == 0
    october = Month(date(2026, 10, 1), INDIA)
    assert report_of(alice, october).total.calls == 1
    create_call(alice, at=datetime(2026, 11, 1, tzinfo=UTC))
    assert prune(server, 2) == 1
    assert (report_of(alice, october).total.calls, report_of(alice, november).total.calls) == (1, 1)


def test_all_models_and_flows_but_the_most_used_are_one_line(
    alice: TestOrganization, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_query, "MAX_LINES", 2)
    monkeypatch.setattr(monthly_report, "MAX_LINES", 2)
    for number in range(4):
        for at in (NOON, NOON - 5 * DAY):
            create_call(alice, at=at, model_asked=f"gpt-{number}", flow_id=number + 1)
    create_call(alice, model_asked="gpt-1", flow_id=2)
    expected = [("gpt-1", 3), ("gpt-0", 2), (OTHER_MODELS, 4)]
    assert [(model, line.calls) for model, line in report_of(alice).models.items()] == expected
    assert [(flow, line.calls) for flow, line in report_of(alice).flows.items()] == [(2, 3), (1, 2), (OTHER_FLOWS, 4)]
    assert prune(server, 2) == 4
    assert [(model, line.calls) for model, line in report_of(alice).models.items()] == expected


def test_the_months_begin_with_the_current_one_and_end_with_the_first(server: RunningServer) -> None:
    months = list_months(datetime(2026, 8, 31, 20, tzinfo=UTC), INDIA)
    assert [str(month) for month in months] == ["2026-11", "2026-10", "2026-09"]
    assert [month.is_current for month in months] == [True, False, False]
    assert months[-1].last == date(2026, 9, 30)
    assert [str(find_month(text, months)) for text in ("2026-09", "2026-08", "soon", None)] == [
        "2026-09",
        *["2026-11"] * 3,
    ]
    assert [str(month) for month in list_months(NOON + 60 * DAY, INDIA)] == ["2026-11"]
