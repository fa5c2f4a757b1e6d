"""An answer that did not reach its flow is tried again, because an administrator wants it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.errors import Conflict, GlificGptError, NotFound
from glific_gpt.operations import worker
from glific_gpt.operations.housekeeping import run_housekeeping
from tests.support.glific_behaviours import answer, errors, lose_the_reply
from tests.support.glific_stand_in import GlificStandIn
from tests.support.later import connected_organization, retry
from tests.support.openai_behaviours import out_of_credit
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

REFUSAL = errors({"key": "contact", "message": "Resource not found"})
"""Which no second try would change."""


def refusal(organization: TestOrganization, call_id: str) -> str:
    """Why it is not tried again."""
    with pytest.raises(Conflict) as caught:
        retry(organization, call_id)
    return str(caught.value)


def accepted(organization: TestOrganization) -> str:
    """The id of a call whose flow waits."""
    return str(organization.ask_later().json()["call_id"])


def given_up(organization: TestOrganization, glific: GlificStandIn) -> str:
    """The id of a call whose answer Glific did not take; from then on it takes everything."""
    glific.always(REFUSAL)
    call_id = accepted(organization)
    assert organization.settled(call_id).state in {"undelivered", "uncertain"}
    glific.always(answer())
    return call_id


def lose_the_work(server: RunningServer) -> None:
    """As when every piece of durable work has ended by a failure that nobody thought of."""
    with server.app.app_context(), transaction() as session:
        schema = "" if session.get_bind().dialect.name == "sqlite" else "dbos."
        session.execute(sa.text(f"UPDATE {schema}workflow_status SET status = 'ERROR'"))  # noqa: S608 - ours


@pytest.fixture
def alice(server_with_worker: RunningServer, glific: GlificStandIn) -> TestOrganization:
    """Connected, on a server that works on answers that come later."""
    return connected_organization(server_with_worker, glific)


@pytest.fixture
def patient(server: RunningServer, glific: GlificStandIn) -> TestOrganization:
    """Connected, on a server that only accepts: its answers wait for a worker."""
    return connected_organization(server, glific)


def test_an_undelivered_answer_is_told_again_and_not_asked_again(
    alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    call_id = given_up(alice, glific)
    (before,) = alice.calls()
    retry(alice, call_id)
    delivery = alice.settled(call_id)
    (after,) = alice.calls()
    assert (before["status"], before["error_code"]) == ("error", "undelivered")
    assert (after["status"], after["error_code"]) == ("ok", None)
    assert after["duration_ms"] > before["duration_ms"]
    assert (delivery.state, delivery.attempts, delivery.answer) == ("delivered", 2, None)
    assert glific.resumptions[-1].result["parsed_msg"] == "Hello from the stand-in."
    assert len(openai.requests) == 1


def test_an_uncertain_answer_is_told_again(alice: TestOrganization, glific: GlificStandIn) -> None:
    glific.will(lose_the_reply())
    call_id = given_up(alice, glific)
    assert alice.delivery(call_id).state == "uncertain"
    retry(alice, call_id)
    assert alice.settled(call_id).state == "delivered"
    assert alice.calls()[0]["error_code"] is None


def test_the_error_of_the_call_itself_stays(
    alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(out_of_credit())
    call_id = given_up(alice, glific)
    retry(alice, call_id)
    assert alice.settled(call_id).state == "delivered"
    assert glific.resumptions[-1].result["error_code"] == "insufficient_quota"
    (call,) = alice.calls()
    assert (call["status"], call["error_code"]) == ("error", "insufficient_quota")


def test_it_can_be_tried_as_often_as_it_does_not_arrive(alice: TestOrganization, glific: GlificStandIn) -> None:
    call_id = given_up(alice, glific)
    for tries in (2, 3):
        glific.always(REFUSAL)
        retry(alice, call_id)
        delivery = alice.settled(call_id)
        assert (delivery.state, delivery.attempts) == ("undelivered", tries)
        assert alice.calls()[0]["error_code"] == "undelivered"
    glific.always(answer())
    retry(alice, call_id)
    assert alice.settled(call_id).state == "delivered"


def test_it_is_pending_until_a_worker_takes_it(alice: TestOrganization, glific: GlificStandIn) -> None:
    call_id = given_up(alice, glific)
    alice.server.services.engine.stop(5)
    before = alice.delivery(call_id)
    retry(alice, call_id)
    after = alice.delivery(call_id)
    assert (after.state, after.ended_at, after.possibly_delivered) == ("waiting", None, False)
    assert after.delivering_since
    assert before.ended_at
    assert after.delivering_since > before.ended_at
    (call,) = alice.calls()
    assert (call["status"], call["error_code"], call["duration_ms"]) == ("pending", None, None)
    assert "being delivered" in refusal(alice, call_id)
    worker.launch_engine(alice.server.app, consumes=True)
    assert alice.settled(call_id).state == "delivered"


def test_of_two_that_try_at_once_one_does(alice: TestOrganization, glific: GlificStandIn) -> None:
    call_id = given_up(alice, glific)
    alice.server.services.engine.stop(5)

    def attempt(_: int) -> str:
        try:
            retry(alice, call_id)
        except GlificGptError as error:
            return error.code
        return "tried"

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(attempt, range(2))) == ["conflict", "tried"]
    worker.launch_engine(alice.server.app, consumes=True)
    assert alice.settled(call_id).attempts == 2


def test_an_answer_that_has_arrived_is_not_told_again(alice: TestOrganization, glific: GlificStandIn) -> None:
    call_id = accepted(alice)
    alice.settled(call_id)
    assert "already has this answer" in refusal(alice, call_id)
    assert len(glific.resumptions) == 1


def test_a_call_that_was_answered_in_its_request_has_nothing_to_deliver(alice: TestOrganization) -> None:
    assert "nothing to deliver" in refusal(alice, alice.ask().json()["call_id"])
    assert "nothing to deliver" in refusal(alice, alice.ask("").json()["call_id"])


def test_an_answer_that_is_not_kept_any_more_cannot_be_told(alice: TestOrganization, glific: GlificStandIn) -> None:
    call_id = given_up(alice, glific)
    with time_machine.travel(now() + timedelta(hours=25)):
        run_housekeeping(alice.server.app)
    assert "no longer stored" in refusal(alice, call_id)
    assert alice.delivery(call_id).state == "undelivered"


def test_an_answer_that_waits_for_a_worker_is_on_its_way(patient: TestOrganization) -> None:
    assert "being delivered" in refusal(patient, accepted(patient))


def test_work_that_was_lost_is_handed_in_anew_as_often_as_it_is_lost(
    patient: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    call_id = accepted(patient)
    for _ in range(2):
        lose_the_work(patient.server)
        retry(patient, call_id)
        assert "being delivered" in refusal(patient, call_id)
    worker.launch_engine(patient.server.app, consumes=True)
    assert patient.settled(call_id).state == "delivered"
    assert len(openai.requests) == len(glific.resumptions) == 1


def test_bob_cannot_tell_alices_call_from_one_that_is_not_there(alice: TestOrganization, glific: GlificStandIn) -> None:
    bob = alice.server.add_organization("bob")
    call_id = given_up(alice, glific)
    words = set()
    for wanted in (call_id, f"call_{'0' * 24}", "call_", "\udcff\x00"):
        with pytest.raises(NotFound) as caught:
            retry(bob, wanted)
        words.add(str(caught.value))
    assert words == {"There is no call with this id."}
    assert alice.delivery(call_id).state == "undelivered"
