"""Reports after calls were deleted: they are the same as before."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy.orm import Session

from glific_gpt.calls import budget, daily_totals, pruning
from glific_gpt.calls.context import CallContext, new_call_id
from glific_gpt.calls.daily_totals import OTHER_MODELS
from glific_gpt.calls.tables import Call, DailyTotals, Delivery
from glific_gpt.database import reading, transaction
from glific_gpt.organizations import store
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.organizations.tables import MonthlySpend
from glific_gpt.usage import reports
from glific_gpt.usage.key_status import find_last_result, find_last_success
from glific_gpt.usage.organization_status import list_organization_statuses
from glific_gpt.usage.reports import Days, build_overview
from glific_gpt.usage.setup_checklist import build_checklist
from glific_gpt.usage.totals import UsageTotals, spent_this_month
from tests.support.call_records import create_call
from tests.support.server import RunningServer, TestOrganization
from tests.support.serving import open_database

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PROVIDER = "open_ai"
CODES = ("invalid_api_key", "insufficient_quota", "deadline_exceeded", "refused", "undelivered")


@pytest.fixture
def server(database_url: str) -> Iterator[RunningServer]:
    """The database of a server that does not run, at NOON."""
    with open_database(database_url=database_url) as server, time_machine.travel(NOON, tick=False):
        yield server


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(pruning, "BATCH_SIZE", 60)


@contextmanager
def reading_reports(server: RunningServer) -> Iterator[Session]:
    with server.app.app_context(), reading() as session:
        yield session


def prune(server: RunningServer, days: int) -> int:
    with server.app.app_context():
        return sum(pruning.prune(pruning.first_kept_moment(days)))


def reports_of(server: RunningServer, organization: TestOrganization) -> list[Any]:
    """Return every report about an organization's calls."""
    with reading_reports(server) as session:
        row = store.find(session, organization.slug)
        credential = session.scalars(sa.select(Credential).where(Credential.organization_id == row.id)).one()
        return [
            *(build_overview(session, row.id, days) for days in get_args(Days)),
            spent_this_month(session, row),
            find_last_success(session, row.id),
            find_last_result(session, credential),
            build_checklist(session, row, credential, ["*"]),
            list_organization_statuses(session, PROVIDER),
        ]


def random_calls(choose: random.Random, organization_id: int, number: int) -> Iterator[Call | Delivery]:
    for _ in range(number):
        at = NOON - choose.random() * choose.choice((3, 40, 200)) * DAY
        status = choose.choices(("ok", "error", "interrupted", "pending", "started"), (60, 25, 5, 5, 5))[0]
        answered = status == "ok" or choose.random() < 0.3
        call = Call(
            call_id=new_call_id(),
            organization_id=organization_id,
            function=choose.choice(("parse_via_chat_gpt", "translate")),
            model_asked=choose.choice(("gpt-4o", "gpt-5", None)),
            model_used="gpt-4o-2024-08-06" if answered else None,
            status=status,
            is_test=False,
            error_code=choose.choice(CODES) if status == "error" else None,
            started_at=at,
            give_up_at=at + timedelta(seconds=6),
            duration_ms=choose.choice((choose.randrange(9000), choose.randrange(90), None)),
            input_tokens=choose.randrange(2**20) if answered else None,
            output_tokens=choose.randrange(2000) if answered else None,
            cost_usd=Decimal(choose.randrange(10**9)) / 10**9 if answered and choose.random() < 0.8 else None,
        )
        yield call
        if choose.random() < 0.3:
            yield Delivery(
                call_id=call.call_id,
                organization_id=organization_id,
                result_name="gpt_response",
                reserved_usd=Decimal(0),
                accepted_at=at,
                state="waiting" if status == "pending" else choose.choice(("delivered", "undelivered", "uncertain")),
                question=choose.choice(("ciphertext", None, None)),
                ended_at=at + choose.random() * DAY,
            )


@pytest.mark.parametrize("seed", range(2))
def test_reports_are_the_same_whichever_calls_were_deleted(
    server: RunningServer, alice: TestOrganization, bob: TestOrganization, seed: int
) -> None:
    choose = random.Random(seed)  # noqa: S311
    with server.app.app_context(), transaction() as session:
        for organization in (alice, bob):
            # Keys that are older than the calls.
            organization_id = store.find(session, organization.slug).id
            session.execute(sa.update(Credential).values(updated_at=NOON - choose.choice((10, 300)) * DAY))
            session.add_all(random_calls(choose, organization_id, 150))
            session.flush()
    before = [reports_of(server, organization) for organization in (alice, bob)]
    assert before[0][0].total.calls > 30
    for days in (150, 45, 44, 20, choose.randrange(2, 20), 1, 1):
        prune(server, days)
        assert [reports_of(server, organization) for organization in (alice, bob)] == before
    with reading_reports(server) as session:
        deleted = sum(session.scalars(sa.select(DailyTotals.calls)))
        remaining = len(session.scalars(sa.select(Call.id)).all())
    assert deleted + remaining == 300
    assert deleted > 150


def test_the_totals_are_the_same_when_calls_of_many_models_were_deleted(
    server: RunningServer, alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daily_totals, "MAX_MODELS", 3)
    monkeypatch.setattr(reports, "MAX_MODELS", 3)
    monkeypatch.setattr(pruning, "BATCH_SIZE", 4)
    for number in range(9):
        create_call(alice, at=NOON - 2 * DAY + timedelta(minutes=number), model_asked=f"gpt-{number % 8}", flow_id=1)
        create_call(alice, "error", at=NOON - 2 * DAY, model_asked=f"gpt-{number}", error_code="model_not_allowed")
    before, *others_before = reports_of(server, alice)
    assert prune(server, 1) == 18
    after, *others_after = reports_of(server, alice)
    assert (after.total, after.days, after.errors) == (before.total, before.days, before.errors)
    assert sum(after.models.values(), UsageTotals()) == after.total
    assert list(after.models)[-1] == OTHER_MODELS
    assert len(after.models) == 4
    assert [replace(each, models={}) for each in others_after[:2]] == [
        replace(each, models={}) for each in others_before[:2]
    ]
    assert others_after[2:] == others_before[2:]


def test_the_month_of_a_new_budget_includes_deleted_calls(server: RunningServer, alice: TestOrganization) -> None:
    create_call(alice, at=NOON - 40 * DAY, cost_usd=Decimal(100))  # of another month
    create_call(alice, at=NOON - 10 * DAY, cost_usd=Decimal(3))
    create_call(alice, at=NOON - 9 * DAY, cost_usd=Decimal(4))
    create_call(alice, at=NOON, cost_usd=Decimal(2))
    assert prune(server, 5) == 3
    with server.app.app_context(), transaction() as session:
        organization = store.find(session, alice.slug)
        assert spent_this_month(session, organization) == 9
        budget.begin_month(session, CallContext(organization.id, "parse_via_chat_gpt", NOON))
        assert session.scalars(sa.select(MonthlySpend.usd)).one() == 9


def test_the_spending_under_a_budget_does_not_change_when_calls_are_deleted(
    server: RunningServer, alice: TestOrganization
) -> None:
    alice.change(monthly_budget_usd=Decimal(10))
    create_call(alice, at=NOON - 10 * DAY, cost_usd=Decimal(3))
    with server.app.app_context(), transaction() as session:
        organization = store.find(session, alice.slug)
        session.add(MonthlySpend(organization_id=organization.id, month="2026-11", usd=Decimal(3)))
    prune(server, 5)
    with reading_reports(server) as session:
        assert spent_this_month(session, organization) == 3
