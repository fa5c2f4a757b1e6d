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
from tests.calls.test_retrying import lose_the_work
from tests.support.glific_stand_in import GlificStandIn
from tests.support.later import call_of, connected_organization, is_in_the_queue, pending, retry, wait_until
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

AFTER_A_WHILE = timedelta(minutes=2)


@pytest.fixture
def alice(server: RunningServer, glific: GlificStandIn) -> TestOrganization:
    """Connected, on a server that only accepts."""
    return connected_organization(server, glific)


@pytest.fixture
def call_id(alice: TestOrganization) -> str:
    return pending(alice.ask_later())


def look(server: RunningServer, after: timedelta = AFTER_A_WHILE) -> None:
    """As every process does once a minute."""
    with server.app.app_context(), time_machine.travel(now() + after):
        requeue_orphans(server.services.engine)


def begin(server: RunningServer) -> None:
    worker.launch_engine(server.app, consumes=True)


def test_work_that_was_lost_before_the_answer_is_done_all_the_same(
    alice: TestOrganization, call_id: str, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    lose_the_work(alice.server)
    look(alice.server)
    begin(alice.server)
    assert alice.settled(call_id).state == "delivered"
    assert len(openai.requests) == len(glific.resumptions) == 1
    assert call_of(alice, call_id)["status"] == "ok"


def test_work_that_was_lost_after_the_answer_asks_openai_nothing_again(
    alice: TestOrganization, call_id: str, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    with alice.server.app.app_context():
        alice.server.services.deferred_workflow.answer.run(call_id)
    lose_the_work(alice.server)
    look(alice.server)
    begin(alice.server)
    assert alice.settled(call_id).state == "delivered"
    assert len(openai.requests) == len(glific.resumptions) == 1


def test_it_hands_in_once_however_many_look(alice: TestOrganization, call_id: str) -> None:
    lose_the_work(alice.server)
    for _ in range(3):
        look(alice.server)
    assert alice.server.services.engine.list_known(f"{call_id}.again") == [f"{call_id}.again1"]


def test_it_leaves_alone_what_waits_in_the_queue_and_what_was_accepted_just_now(
    alice: TestOrganization, call_id: str
) -> None:
    look(alice.server)
    lose_the_work(alice.server)
    look(alice.server, after=timedelta(0))
    assert alice.server.services.engine.list_known(call_id) == [call_id]
    assert alice.delivery(call_id).state == "waiting"


def test_it_gives_up_after_three_times_and_an_administrator_can_still_have_it_tried(
    alice: TestOrganization, call_id: str, glific: GlificStandIn
) -> None:
    for _ in range(MAX_REQUEUES + 1):
        assert alice.delivery(call_id).state == "waiting"
        lose_the_work(alice.server)
        look(alice.server)
    row, call = alice.delivery(call_id), call_of(alice, call_id)
    assert (row.state, call["status"], call["error_code"]) == ("undelivered", "error", "undelivered")
    assert "failed several times to finish" in str(row.last_response)
    assert not is_in_the_queue(alice.server)
    retry(alice, call_id)
    begin(alice.server)
    assert alice.settled(call_id).state == "delivered"


def test_it_keeps_no_question_that_was_given_up_for_longer_than_a_day(alice: TestOrganization, call_id: str) -> None:
    lose_the_work(alice.server)
    look(alice.server, after=timedelta(hours=25))
    assert alice.delivery(call_id).question
    with time_machine.travel(now() + timedelta(hours=50)):
        run_housekeeping(alice.server.app)
    assert alice.delivery(call_id).question is None
    with pytest.raises(Exception, match="no longer stored"):
        retry(alice, call_id)


def test_it_never_tells_a_flow_that_was_told_of_an_error(
    alice: TestOrganization, call_id: str, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    """The promise was written down, but the server did not get to know that."""
    with alice.server.app.app_context(), transaction() as session:
        session.execute(sa.update(Call).values(status="error", error_code="deadline_exceeded"))
    begin(alice.server)
    alice.settled(pending(alice.ask_later(contact=22)))
    wait_until(lambda: not alice.server.services.engine.has_unfinished(call_id))
    look(alice.server)
    row, call = alice.delivery(call_id), call_of(alice, call_id)
    assert (row.state, call["error_code"]) == ("undelivered", "deadline_exceeded")
    assert (len(openai.requests), [each.contact_id for each in glific.resumptions]) == (1, [22])


def test_it_is_uncertain_of_an_answer_that_may_have_arrived(alice: TestOrganization, call_id: str) -> None:
    with alice.server.app.app_context(), transaction() as session:
        session.execute(sa.update(Delivery).values(possibly_delivered=True))
    lose_the_work(alice.server)
    look(alice.server, after=timedelta(hours=25))
    assert alice.delivery(call_id).state == "uncertain"
