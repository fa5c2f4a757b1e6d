"""Deferred calls without a worker are noticed after a minute."""

from datetime import timedelta

import pytest
import time_machine
from structlog.testing import capture_logs

from glific_gpt.calls.deferred.backlog import Backlog, find_backlog
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
    with time_machine.travel(now() + timedelta(seconds=90)):
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
