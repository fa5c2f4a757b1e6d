"""Deferred calls without a worker are noticed after a minute."""

from datetime import timedelta

import pytest
import time_machine
from structlog.testing import capture_logs

from glific_gpt.calls.deferred.backlog import Backlog, find_backlog
from glific_gpt.calls.tables import Delivery
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.operations.housekeeping import run_housekeeping
from tests.support.deferred import create_connected_organization, pending_call_id, start_worker_in_process
from tests.support.glific_stand_in import GlificStandIn
from tests.support.server import RunningServer, TestOrganization


@pytest.fixture
def alice(server: RunningServer, glific: GlificStandIn) -> TestOrganization:
    """An organization on a server without a worker."""
    return create_connected_organization(server, glific)


def backlog(server: RunningServer) -> Backlog:
    with server.app.app_context(), transaction() as session:
        return find_backlog(session)


def test_there_is_none_without_deferred_calls(server: RunningServer) -> None:
    assert backlog(server) == Backlog(0, 0, is_unattended=False)


def test_calls_that_wait_for_over_a_minute_are_unattended(server: RunningServer, alice: TestOrganization) -> None:
    for _ in range(2):
        pending_call_id(alice.ask_deferred())
    assert not backlog(server).is_unattended
    with time_machine.travel(now() + timedelta(seconds=90), tick=False):
        found = backlog(server)
        assert (found.count, found.is_unattended) == (2, True)
        assert 90 <= found.oldest_seconds < 120
        with capture_logs() as lines:
            run_housekeeping(server.app)
    (line,) = [line for line in lines if line["event"] == "workers_missing"]
    assert (line["log_level"], line["waiting"], line["deferred_oldest_seconds"]) == ("error", 2, found.oldest_seconds)


def test_calls_that_wait_behind_others_are_not_unattended(server: RunningServer, alice: TestOrganization) -> None:
    first, second = (pending_call_id(alice.ask_deferred()) for _ in range(2))
    start_worker_in_process(server)
    alice.wait_for_delivery(first)
    alice.wait_for_delivery(second)
    server.services.engine.stop(0)
    with time_machine.travel(now() - timedelta(seconds=90)):
        pending_call_id(alice.ask_deferred())
    found = backlog(server)
    assert (found.count, found.is_unattended) == (1, False)


def test_a_call_that_waits_for_an_encryption_key_is_not_unattended(
    server: RunningServer, alice: TestOrganization
) -> None:
    call_id = pending_call_id(alice.ask_deferred())
    with server.app.app_context(), transaction() as session:
        session.get_one(Delivery, call_id).last_response = "This server cannot read its stored secrets."
    with time_machine.travel(now() + timedelta(seconds=90)):
        assert not backlog(server).is_unattended


@pytest.mark.parametrize(("asked_after", "is_unattended"), [(1, False), (-1, True)], ids=["worker", "server"])
def test_only_questions_that_a_worker_has_asked_count_as_progress(
    server: RunningServer, alice: TestOrganization, asked_after: int, is_unattended: bool
) -> None:
    asked, waiting = (pending_call_id(alice.ask_deferred()) for _ in range(2))
    with server.app.app_context(), transaction() as session:
        row = session.get_one(Delivery, asked)
        row.asked_at = row.accepted_at + timedelta(seconds=asked_after)
    with time_machine.travel(now() + timedelta(seconds=90)):
        assert backlog(server).count == 1
        assert backlog(server).is_unattended is is_unattended
    assert alice.delivery(waiting).asked_at is None
