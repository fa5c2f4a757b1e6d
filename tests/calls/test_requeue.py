"""A call is enqueued again after its workflow failed, and is marked as undelivered after several failures."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from glific_gpt.calls.deferred.recovery import MAX_REQUEUES, requeue_orphans
from glific_gpt.calls.tables import Call, Delivery
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.operations.housekeeping import run_housekeeping
from tests.calls.test_retry import fail_all_workflows
from tests.support.deferred import (
    create_connected_organization,
    find_call,
    has_unfinished_work,
    pending_call_id,
    retry_delivery,
    start_worker_in_process,
    wait_until,
)
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

ORPHAN_AGE = timedelta(minutes=2)


@pytest.fixture
def alice(server: RunningServer, glific: GlificStandIn) -> TestOrganization:
    """A connected organization on a server without a worker."""
    return create_connected_organization(server, glific)


@pytest.fixture
def call_id(alice: TestOrganization) -> str:
    return pending_call_id(alice.ask_deferred())


def requeue(server: RunningServer, after: timedelta = ORPHAN_AGE) -> None:
    """Enqueue orphaned calls, as every process does once a minute."""
    with server.app.app_context(), time_machine.travel(now() + after):
        requeue_orphans(server.services.engine)


def test_a_workflow_that_failed_before_the_answer_is_run_again(
    alice: TestOrganization, call_id: str, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    fail_all_workflows(alice.server)
    requeue(alice.server)
    start_worker_in_process(alice.server)
    assert alice.wait_for_delivery(call_id).state == "delivered"
    assert len(openai.requests) == len(glific.resumptions) == 1
    assert find_call(alice, call_id)["status"] == "ok"


def test_a_workflow_that_failed_after_the_answer_does_not_ask_openai_again(
    alice: TestOrganization, call_id: str, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    with alice.server.app.app_context():
        alice.server.services.deferred_workflow.answer.run(call_id)
    fail_all_workflows(alice.server)
    requeue(alice.server)
    start_worker_in_process(alice.server)
    assert alice.wait_for_delivery(call_id).state == "delivered"
    assert len(openai.requests) == len(glific.resumptions) == 1


def test_it_enqueues_an_orphan_once_for_many_polls(alice: TestOrganization, call_id: str) -> None:
    fail_all_workflows(alice.server)
    for _ in range(3):
        requeue(alice.server)
    assert alice.server.services.engine.list_known(f"{call_id}.again") == [f"{call_id}.again1"]


class InterruptedEngine:
    """The engine of a server, in which something else happens between the steps of a poll."""

    def __init__(self, server: RunningServer, meanwhile: Callable[[], None]) -> None:
        self._engine, self._meanwhile = server.services.engine, meanwhile

    def list_known(self, prefix: str) -> list[str]:
        self._meanwhile()
        return self._engine.list_known(prefix)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


def test_a_call_that_is_retried_during_a_poll_is_not_enqueued_twice(alice: TestOrganization, call_id: str) -> None:
    fail_all_workflows(alice.server)
    engine: Any = InterruptedEngine(alice.server, lambda: retry_delivery(alice, call_id))
    with alice.server.app.app_context(), time_machine.travel(now() + ORPHAN_AGE):
        requeue_orphans(engine)
    assert alice.server.services.engine.list_known(f"{call_id}.again") == []
    assert alice.server.services.engine.has_unfinished(f"{call_id}.0.")


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
    row, call = alice.delivery(call_id), find_call(alice, call_id)
    assert (row.state, call["status"], call["error_code"]) == ("undelivered", "error", "undelivered")
    assert "failed several times to finish" in str(row.last_response)
    assert not has_unfinished_work(alice.server)
    retry_delivery(alice, call_id)
    start_worker_in_process(alice.server)
    assert alice.wait_for_delivery(call_id).state == "delivered"


def test_it_deletes_the_question_a_day_after_giving_up(alice: TestOrganization, call_id: str) -> None:
    fail_all_workflows(alice.server)
    requeue(alice.server, after=timedelta(hours=25))
    assert alice.delivery(call_id).question
    with time_machine.travel(now() + timedelta(hours=50)):
        run_housekeeping(alice.server.app)
    assert alice.delivery(call_id).question is None
    with pytest.raises(Exception, match="no longer stored"):
        retry_delivery(alice, call_id)


def test_it_never_resumes_a_flow_that_received_an_error(
    alice: TestOrganization, call_id: str, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    """The call was deferred in the database, but the server did not learn of the commit."""
    with alice.server.app.app_context(), transaction() as session:
        session.execute(sa.update(Call).values(status="error", error_code="deadline_exceeded"))
    start_worker_in_process(alice.server)
    alice.wait_for_delivery(pending_call_id(alice.ask_deferred(contact=22)))
    wait_until(lambda: not alice.server.services.engine.has_unfinished(call_id))
    requeue(alice.server)
    row, call = alice.delivery(call_id), find_call(alice, call_id)
    assert (row.state, call["error_code"]) == ("undelivered", "deadline_exceeded")
    assert (len(openai.requests), [each.contact_id for each in glific.resumptions]) == (1, [22])


def test_a_possibly_delivered_answer_becomes_uncertain(alice: TestOrganization, call_id: str) -> None:
    with alice.server.app.app_context(), transaction() as session:
        session.execute(sa.update(Delivery).values(possibly_delivered=True))
    fail_all_workflows(alice.server)
    requeue(alice.server, after=timedelta(hours=25))
    assert alice.delivery(call_id).state == "uncertain"
