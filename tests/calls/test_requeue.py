"""Answers whose durable work was lost get there all the same, or are given up so that people see it."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from glific_gpt.calls.deferred.recovery import MAX_REQUEUES, requeue_orphans
from glific_gpt.calls.tables import Call, Delivery
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.operations import worker
from glific_gpt.operations.housekeeping import run_housekeeping
from tests.calls.test_retry import fail_all_workflows
from tests.support.glific_stand_in import GlificStandIn
from tests.support.later import call_of, connected_organization, is_in_the_queue, pending, retry, wait_until
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

ORPHAN_AGE = timedelta(minutes=2)


@pytest.fixture
def alice(server: RunningServer, glific: GlificStandIn) -> TestOrganization:
    """Connected, on a server that only accepts."""
    return connected_organization(server, glific)


@pytest.fixture
def call_id(alice: TestOrganization) -> str:
    return pending(alice.ask_later())


def requeue(server: RunningServer, after: timedelta = ORPHAN_AGE) -> None:
    """As every process does once a minute."""
    with server.app.app_context(), time_machine.travel(now() + after):
        requeue_orphans(server.services.engine)


def start_worker(server: RunningServer) -> None:
    worker.launch_engine(server.app, consumes=True)


def test_a_workflow_that_failed_before_the_answer_is_run_again(
    alice: TestOrganization, call_id: str, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    fail_all_workflows(alice.server)
    requeue(alice.server)
    start_worker(alice.server)
    assert alice.settled(call_id).state == "delivered"
    assert len(openai.requests) == len(glific.resumptions) == 1
    assert call_of(alice, call_id)["status"] == "ok"


def test_a_workflow_that_failed_after_the_answer_does_not_ask_openai_again(
    alice: TestOrganization, call_id: str, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    with alice.server.app.app_context():
        alice.server.services.deferred_workflow.answer.run(call_id)
    fail_all_workflows(alice.server)
    requeue(alice.server)
    start_worker(alice.server)
    assert alice.settled(call_id).state == "delivered"
    assert len(openai.requests) == len(glific.resumptions) == 1


def test_it_enqueues_an_orphan_once_for_many_polls(alice: TestOrganization, call_id: str) -> None:
    fail_all_workflows(alice.server)
    for _ in range(3):
        requeue(alice.server)
    assert alice.server.services.engine.list_known(f"{call_id}.again") == [f"{call_id}.again1"]


def test_it_ignores_queued_calls_and_calls_accepted_just_now(alice: TestOrganization, call_id: str) -> None:
    requeue(alice.server)
    fail_all_workflows(alice.server)
    requeue(alice.server, after=timedelta(0))
    assert alice.server.services.engine.list_known(call_id) == [call_id]
    assert alice.delivery(call_id).state == "waiting"


def test_it_gives_up_after_three_times_and_allows_a_manual_retry(
    alice: TestOrganization, call_id: str, glific: GlificStandIn
) -> None:
    for _ in range(MAX_REQUEUES + 1):
        assert alice.delivery(call_id).state == "waiting"
        fail_all_workflows(alice.server)
        requeue(alice.server)
    row, call = alice.delivery(call_id), call_of(alice, call_id)
    assert (row.state, call["status"], call["error_code"]) == ("undelivered", "error", "undelivered")
    assert "failed several times to finish" in str(row.last_response)
    assert not is_in_the_queue(alice.server)
    retry(alice, call_id)
    start_worker(alice.server)
    assert alice.settled(call_id).state == "delivered"


def test_it_deletes_the_question_a_day_after_giving_up(alice: TestOrganization, call_id: str) -> None:
    fail_all_workflows(alice.server)
    requeue(alice.server, after=timedelta(hours=25))
    assert alice.delivery(call_id).question
    with time_machine.travel(now() + timedelta(hours=50)):
        run_housekeeping(alice.server.app)
    assert alice.delivery(call_id).question is None
    with pytest.raises(Exception, match="no longer stored"):
        retry(alice, call_id)


def test_it_never_resumes_a_flow_that_received_an_error(
    alice: TestOrganization, call_id: str, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    """The promise was written down, but the server did not get to know that."""
    with alice.server.app.app_context(), transaction() as session:
        session.execute(sa.update(Call).values(status="error", error_code="deadline_exceeded"))
    start_worker(alice.server)
    alice.settled(pending(alice.ask_later(contact=22)))
    wait_until(lambda: not alice.server.services.engine.has_unfinished(call_id))
    requeue(alice.server)
    row, call = alice.delivery(call_id), call_of(alice, call_id)
    assert (row.state, call["error_code"]) == ("undelivered", "deadline_exceeded")
    assert (len(openai.requests), [each.contact_id for each in glific.resumptions]) == (1, [22])


def test_a_possibly_delivered_answer_becomes_uncertain(alice: TestOrganization, call_id: str) -> None:
    with alice.server.app.app_context(), transaction() as session:
        session.execute(sa.update(Delivery).values(possibly_delivered=True))
    fail_all_workflows(alice.server)
    requeue(alice.server, after=timedelta(hours=25))
    assert alice.delivery(call_id).state == "uncertain"
