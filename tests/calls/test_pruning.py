"""Deletion of old calls: the right ones, in batches, while calls are answered."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from structlog.testing import capture_logs

from benchmarks.seeding import seed_calls
from glific_gpt.calls import daily_totals, pruning
from glific_gpt.calls.tables import Call, DailyTotals, Delivery
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.operations import housekeeping
from tests.support.call_records import create_call, create_delivery
from tests.support.server import RunningServer, TestOrganization
from tests.support.serving import open_database

pytestmark = pytest.mark.usefixtures("numbered_organizations")

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MIDNIGHT = NOON.replace(hour=0)
OLD = NOON - 10 * DAY


@pytest.fixture
def server(database_url: str) -> Iterator[RunningServer]:
    """The database of a server that does not run."""
    with open_database(database_url=database_url) as server:
        yield server


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "PAUSE_SECONDS", 0.0)


def prune(server: RunningServer, days: int) -> list[int]:
    """Delete calls as at NOON, and return the sizes of the batches."""
    with server.app.app_context(), time_machine.travel(NOON):
        return list(pruning.prune(pruning.first_kept_moment(days)))


def kept(server: RunningServer) -> set[str]:
    with server.app.app_context(), transaction() as session:
        return set(session.scalars(sa.select(Call.call_id)))


def totals(server: RunningServer) -> list[DailyTotals]:
    with server.app.app_context(), transaction() as session:
        return list(session.scalars(sa.select(DailyTotals).order_by(*DailyTotals.__table__.primary_key)))


def test_calls_are_kept_for_whole_days_in_utc(server: RunningServer, alice: TestOrganization) -> None:
    create_call(alice, at=MIDNIGHT - 7 * DAY - timedelta(microseconds=1))
    newer = create_call(alice, at=MIDNIGHT - 7 * DAY)
    assert sum(prune(server, 7)) == 1
    assert kept(server) == {newer}


def test_deleted_calls_are_counted_by_day_model_and_error(
    server: RunningServer, alice: TestOrganization, bob: TestOrganization
) -> None:
    for milliseconds in (1000, 1009, 2500):
        create_call(alice, at=OLD, duration_ms=milliseconds)
    create_call(alice, at=OLD + timedelta(hours=3), cost_usd=None)
    create_call(alice, "error", at=OLD, model_asked=None, error_code="invalid_json")
    create_call(bob, "interrupted", at=OLD - DAY)
    create_delivery(bob, "delivered", ended_at=OLD, question=None, at=OLD)
    prune(server, 1)
    assert kept(server) == set()
    failed, answered, bobs_failed, bobs_answered = totals(server)
    assert (answered.day, answered.model, answered.failure, answered.is_deferred) == (OLD.date(), "gpt-4o", "", False)
    assert (answered.calls, answered.input_tokens, answered.output_tokens, answered.unpriced) == (4, 400, 80, 1)
    assert answered.cost_usd == Decimal("0.003")
    assert answered.last_at == answered.last_answered_at == OLD + timedelta(hours=3)
    assert answered.answer_times == {"100": 3, "250": 1}
    assert (failed.model, failed.failure, failed.calls, failed.last_answered_at) == ("", "invalid_json", 1, None)
    assert (bobs_failed.failure, bobs_failed.day) == ("interrupted", OLD.date() - DAY)
    assert (bobs_answered.is_deferred, bobs_answered.answer_times) == (True, {"100": 1})


def test_the_totals_of_a_day_have_a_limited_number_of_models(
    server: RunningServer, alice: TestOrganization, bob: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daily_totals, "MAX_MODELS", 2)
    monkeypatch.setattr(pruning, "BATCH_SIZE", 4)
    for day in (OLD, OLD + DAY):
        for number, model in enumerate((None, "gpt-a", "gpt-b", "gpt-c", "gpt-d", "gpt-a")):
            create_call(alice, at=day + timedelta(minutes=number), model_asked=model)
    create_call(bob, at=OLD + 2 * DAY, model_asked="gpt-c")
    prune(server, 1)
    expected = [("", 1), (daily_totals.OTHER_MODELS, 2), ("gpt-a", 2), ("gpt-b", 1)]
    assert sorted((row.day, row.model, row.calls) for row in totals(server)) == [
        *((OLD.date(), *each) for each in expected),
        *(((OLD + DAY).date(), *each) for each in expected),
        ((OLD + 2 * DAY).date(), "gpt-c", 1),
    ]


def test_calls_in_progress_are_kept(server: RunningServer, alice: TestOrganization) -> None:
    unfinished = {create_call(alice, status, at=OLD) for status in ("started", "pending")}
    waiting = {create_delivery(alice, "waiting", at=OLD, status="pending")}
    create_call(alice, at=OLD)
    assert sum(prune(server, 1)) == 1
    assert kept(server) == unfinished | waiting


def test_a_failed_delivery_is_kept_while_it_can_be_retried(server: RunningServer, alice: TestOrganization) -> None:
    values: dict[str, Any] = {"at": OLD, "status": "error"}
    retryable = create_delivery(alice, "undelivered", ended_at=OLD, **values)
    recent = create_delivery(alice, "uncertain", ended_at=NOON - timedelta(hours=23), question=None, **values)
    expired = create_delivery(alice, "uncertain", ended_at=NOON - timedelta(hours=25), question=None, **values)
    prune(server, 1)
    assert kept(server) == {retryable, recent}
    with server.app.app_context(), transaction() as session:
        assert session.get(Delivery, expired) is None


def test_many_calls_that_cannot_be_deleted_do_not_hide_others(
    server: RunningServer, alice: TestOrganization, bob: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "BATCH_SIZE", 2)
    for organization in (alice, bob):
        for _ in range(3):
            create_call(organization, "pending", at=OLD - DAY)
    create_call(bob, at=OLD)
    assert prune(server, 1) == [1]


def test_calls_are_deleted_in_batches_the_oldest_first(
    server: RunningServer, alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "BATCH_SIZE", 2)
    ids = [create_call(alice, at=OLD + n * timedelta(hours=1)) for n in (2, 0, 1)]
    with server.app.app_context(), time_machine.travel(NOON):
        assert next(pruning.prune(NOON - DAY)) == 2
    assert kept(server) == {ids[0]}


def test_housekeeping_deletes_a_limited_number_and_continues_later(
    server: RunningServer, alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "BATCH_SIZE", 2)
    monkeypatch.setattr(housekeeping, "MAX_BATCHES", 2)
    for _ in range(5):
        create_call(alice, at=now() - 402 * DAY)
    recent = create_call(alice, at=now() - 399 * DAY)
    with capture_logs() as log_lines:
        housekeeping.prune_calls(server.app)
        assert len(kept(server)) == 2
        housekeeping.prune_calls(server.app)
        housekeeping.prune_calls(server.app)
    assert kept(server) == {recent}
    found = [(line["event"], line["count"], line["kept_days"]) for line in log_lines]
    assert found == [("calls_pruned", 4, 400), ("calls_pruned", 1, 400)]


def test_zero_days_keep_calls_for_ever(database_url: str) -> None:
    with open_database(database_url=database_url, keep_calls_days=0) as server:
        create_call(server.add_organization("alice"), at=now() - 5000 * DAY)
        housekeeping.prune_calls(server.app)
        assert len(kept(server)) == 1


def test_nothing_is_lost_or_counted_twice_while_calls_arrive_and_several_processes_delete(
    server: RunningServer, alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "BATCH_SIZE", 7)
    for n in range(60):
        create_call(alice, at=OLD + n * timedelta(hours=1))
    done = threading.Event()

    def create_new_calls() -> int:
        count = 0
        while not done.is_set() or count < 5:
            create_call(alice, at=now())
            count += 1
        return count

    def prune_all() -> int:
        with server.app.app_context():
            return sum(pruning.prune(NOON - DAY))

    with ThreadPoolExecutor() as threads:
        arriving = threads.submit(create_new_calls)
        pruning_threads = [threads.submit(prune_all) for _ in range(3)]
        deleted = [thread.result() for thread in pruning_threads]
        done.set()
        created = arriving.result()
    assert sum(deleted) == sum(row.calls for row in totals(server)) == 60
    assert sum(row.answer_times["100"] for row in totals(server)) == 60
    assert len(kept(server)) == created


def test_a_failure_within_a_batch_changes_nothing(
    server: RunningServer, alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError

    call_id = create_call(alice, at=OLD)
    monkeypatch.setattr(daily_totals, "add", fail)
    with pytest.raises(RuntimeError):
        prune(server, 1)
    assert (kept(server), totals(server)) == ({call_id}, [])


def test_old_calls_are_found_with_an_index(server: RunningServer, database_url: str) -> None:
    for number in range(4):
        server.add_organization(f"organization-{number}", key="")
    seed_calls(database_url, 4, 20_000)
    before = now() - 300 * DAY
    for query in (pruning.oldest_calls(1, before), pruning.organizations_with_calls(before)):
        plan = explain(server, query)
        assert "ix_calls_organization_id_started_at" in plan, plan
        assert not any(
            text in plan for text in ("Seq Scan on calls", "Sort Key: calls", "SCAN calls", "TEMP B-TREE")
        ), plan


def explain(server: RunningServer, query: sa.Select[Any]) -> str:
    with server.app.app_context(), transaction() as session:
        connection = session.connection()
        prefix = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        compiled = query.compile(connection, compile_kwargs={"literal_binds": True, "render_postcompile": True})
        return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{prefix} {compiled}"))
