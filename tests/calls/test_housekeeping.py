"""Periodic housekeeping: deletion of stored answers, and marking of abandoned calls."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import insert, select, text
from structlog.testing import capture_logs

from glific_gpt.calls.tables import Call, Delivery, StoredReply
from glific_gpt.clock import now
from glific_gpt.database import batches, transaction
from glific_gpt.metrics import recording
from glific_gpt.operations import worker
from glific_gpt.operations.housekeeping import run_housekeeping
from glific_gpt.operations.worker import run_all_housekeeping
from tests.support.deferred import pending_call_id
from tests.support.glific_stand_in import GlificStandIn
from tests.support.server import RunningServer, TestOrganization


def list_stored_call_ids(server: RunningServer) -> list[str]:
    """Return the ids of the calls with stored answers."""
    with server.app.app_context(), transaction() as session:
        return list(session.scalars(select(StoredReply.call_id)))


def list_statuses(server: RunningServer) -> list[str]:
    """Read the statuses from the table. Listing calls through the server would run housekeeping first."""
    with server.app.app_context(), transaction() as session:
        return list(session.scalars(select(Call.status).order_by(Call.id)))


def test_a_stored_answer_is_deleted_after_15_minutes(
    server: RunningServer, alice: TestOrganization, bob: TestOrganization
) -> None:
    key = {"Idempotency-Key": "a-key"}
    first = alice.post({"question_text": "What is ORS?"}, headers=key).json()["call_id"]
    with time_machine.travel(now() + timedelta(minutes=14)):
        second = bob.post({"question_text": "What is ORS?"}, headers=key).json()["call_id"]
        run_housekeeping(server.app)
        assert set(list_stored_call_ids(server)) == {first, second}
    with time_machine.travel(now() + timedelta(minutes=16)):
        run_housekeeping(server.app)
        assert list_stored_call_ids(server) == [second]


def test_an_abandoned_call_is_marked_interrupted_and_others_are_not(
    server: RunningServer, alice: TestOrganization
) -> None:
    for _ in range(3):
        alice.ask()
    with server.app.app_context(), transaction() as session:
        killed, running, _ = session.scalars(select(Call).order_by(Call.id))
        killed.status = running.status = "started"
        killed.give_up_at, running.give_up_at = now() - timedelta(seconds=1), now() + timedelta(minutes=1)
    run_housekeeping(server.app)
    assert list_statuses(server) == ["interrupted", "started", "ok"]


def has_answer_by_state(server: RunningServer) -> dict[str, bool]:
    """Map the state of each delivery to the presence of its answer."""
    with server.app.app_context(), transaction() as session:
        return {row.state: row.answer is not None for row in session.scalars(select(Delivery))}


def create_deliveries(organization: TestOrganization, glific: GlificStandIn) -> None:
    """Create one delivery in each state except delivered. All have an answer, and those that ended did so now."""
    organization.connect(glific)
    for state in ("waiting", "undelivered", "uncertain"):
        call_id = pending_call_id(organization.ask_deferred())
        with organization.server.app.app_context(), transaction() as session:
            row = session.get_one(Delivery, call_id)
            row.state, row.answer, row.question, row.stored_bytes = state, "ciphertext", None, 10
            row.ended_at = None if state == "waiting" else now()


def test_it_deletes_undelivered_answers_after_a_day_and_keeps_waiting_ones(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn
) -> None:
    create_deliveries(alice, glific)
    with time_machine.travel(now() + timedelta(hours=23, minutes=59)):
        run_housekeeping(server.app)
    assert has_answer_by_state(server) == {"waiting": True, "undelivered": True, "uncertain": True}
    with time_machine.travel(now() + timedelta(hours=24, minutes=1)):
        run_housekeeping(server.app)
    assert has_answer_by_state(server) == {"waiting": True, "undelivered": False, "uncertain": False}
    with server.app.app_context(), transaction() as session:
        stored = {row.state: row.stored_bytes for row in session.scalars(select(Delivery))}
    assert stored == {"waiting": 10, "undelivered": 0, "uncertain": 0}


def test_it_logs_deliveries_that_are_stuck_for_more_than_20_minutes(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn
) -> None:
    create_deliveries(alice, glific)
    with capture_logs() as log_lines, time_machine.travel(now() + timedelta(minutes=19)):
        run_housekeeping(server.app)
    assert not [line for line in log_lines if line["event"] == "deliveries_stuck"]
    with capture_logs() as log_lines, time_machine.travel(now() + timedelta(minutes=21)):
        run_housekeeping(server.app)
    (line,) = [line for line in log_lines if line["event"] == "deliveries_stuck"]
    assert (line["log_level"], line["count"]) == ("error", 1)


def test_it_does_not_mark_a_pending_call_interrupted(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn
) -> None:
    alice.connect(glific)
    pending_call_id(alice.ask_deferred())
    with time_machine.travel(now() + timedelta(hours=1)):
        run_housekeeping(server.app)
    assert list_statuses(server) == ["pending"]


def store_expired_replies(server: RunningServer, organization: TestOrganization, count: int) -> None:
    """Store answers of that many calls, which have expired."""
    organization.post({"question_text": "What is ORS?"}, headers={"Idempotency-Key": "a-key"})
    at = now() - timedelta(seconds=1)
    with server.app.app_context(), transaction() as session:
        owner = session.scalars(select(StoredReply.organization_id)).one()
        row = {"organization_id": owner, "call_id": "call_1", "give_up_at": at, "expires_at": at}
        session.execute(insert(StoredReply), [row | {"key_hash": f"{number:064}"} for number in range(count)])


@pytest.mark.both_databases
def test_a_backlog_of_more_than_a_batch_is_deleted(
    server: RunningServer, alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH_SIZE", 10)
    store_expired_replies(server, alice, 25)
    assert run_housekeeping(server.app)
    (kept,) = list_stored_call_ids(server)
    assert kept != "call_1"


def test_a_backlog_is_deleted_in_transactions_of_one_batch_for_a_limited_time(
    server: RunningServer, alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH_SIZE", 10)
    monkeypatch.setattr(batches, "TOTAL_SECONDS", 0)
    store_expired_replies(server, alice, 25)
    run_housekeeping(server.app)
    assert len(list_stored_call_ids(server)) == 16
    run_housekeeping(server.app)
    assert len(list_stored_call_ids(server)) == 6


@pytest.mark.both_databases
def test_a_task_that_fails_is_logged_and_does_not_stop_the_others(
    server: RunningServer, alice: TestOrganization
) -> None:
    store_expired_replies(server, alice, 3)
    with server.app.app_context(), transaction() as session:
        (call,) = session.scalars(select(Call))
        call.status, call.give_up_at = "started", now() - timedelta(seconds=1)
        session.execute(text("ALTER TABLE deliveries RENAME TO gone"))
    with capture_logs() as log_lines:
        assert not run_housekeeping(server.app)
    with server.app.app_context(), transaction() as session:
        session.execute(text("ALTER TABLE gone RENAME TO deliveries"))
    failed = {line["task"] for line in log_lines if line["event"] == "housekeeping_failed"}
    assert failed == {"housekeeping.log_stuck_deliveries", "housekeeping.log_missing_workers", "delivery_records.purge"}
    assert list_statuses(server) == ["interrupted"]
    assert len(list_stored_call_ids(server)) == 1


def test_the_worker_runs_the_other_tasks_and_notes_no_success_after_a_failure(
    server: RunningServer, alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    successes: list[float] = []
    monkeypatch.setattr(recording, "housekeeping_succeeded", successes.append)
    store_expired_replies(server, alice, 3)
    with monkeypatch.context() as patch, capture_logs() as log_lines:
        patch.setattr(worker, "requeue_orphans", lambda _engine: 1 / 0)
        run_all_housekeeping(server.app)
    failed = [line["task"] for line in log_lines if line["event"] == "housekeeping_failed"]
    assert (failed, successes) == (["requeue_deliveries"], [])
    assert len(list_stored_call_ids(server)) == 1
    run_all_housekeeping(server.app)
    assert len(successes) == 1
