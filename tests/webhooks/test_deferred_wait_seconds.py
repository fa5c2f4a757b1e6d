"""wait_seconds: a flow gets no answer after this time, because it may be waiting for another answer by then."""

from datetime import timedelta

import pytest
import time_machine

from glific_gpt.clock import now
from glific_gpt.errors import Conflict
from tests.support import openai_behaviours as behaviours
from tests.support.deferred import (
    create_connected_organization,
    find_call,
    pending_call_id,
    resumed_result,
    retry_delivery,
    wait_until,
)
from tests.support.glific_behaviours import errors, not_waiting_error
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_exchange import Exchange
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import require_error

STOPPED_WAITING = (
    "The flow stopped waiting before the answer could be delivered. It may be waiting for another answer now."
)


@pytest.fixture
def alice(server_with_worker: RunningServer, glific: GlificStandIn) -> TestOrganization:
    return create_connected_organization(server_with_worker, glific)


def delay_the_first_question(exchange: Exchange) -> None:
    reply = behaviours.echo()
    (behaviours.respond_after(2.0, reply) if "first" in str(exchange.received.body) else reply)(exchange)


def test_an_answer_in_time_is_delivered(alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn) -> None:
    openai.always(behaviours.answer("Salt, sugar, water."))
    call_id = pending_call_id(alice.ask_deferred(wait_seconds="120"))
    assert alice.wait_for_delivery(call_id).state == "delivered"
    assert resumed_result(glific, 21)["parsed_msg"] == "Salt, sugar, water."


def test_a_late_answer_is_not_delivered_to_the_next_question(
    alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(delay_the_first_question)
    first = pending_call_id(alice.ask_deferred(question_text="The first?", wait_seconds=1))
    assert alice.wait_for_delivery(first).state == "undelivered"
    second = pending_call_id(alice.ask_deferred(question_text="The second?", wait_seconds=30))
    assert alice.wait_for_delivery(second).state == "delivered"
    assert resumed_result(glific, 21)["parsed_msg"].endswith("The second?")
    assert alice.delivery(first).last_response == STOPPED_WAITING


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_flow_that_is_not_waiting_is_retried_until_wait_seconds_have_passed(
    alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(behaviours.answer("Salt, sugar, water."))
    glific.always(errors([not_waiting_error(21)]))
    call_id = pending_call_id(alice.ask_deferred(wait_seconds=40))
    wait_until(lambda: alice.delivery(call_id).attempts > 1)
    assert alice.delivery(call_id).state == "waiting"
    with time_machine.travel(now() + timedelta(seconds=41)):
        row = alice.wait_for_delivery(call_id)
    assert (row.state, row.last_response) == ("undelivered", STOPPED_WAITING)
    assert row.ended_at is not None
    assert row.waited_until is not None
    assert row.ended_at >= row.waited_until
    assert find_call(alice, call_id)["error_code"] == "undelivered"


def test_a_late_answer_cannot_be_retried(alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn) -> None:
    openai.always(behaviours.respond_after(1.5))
    call_id = pending_call_id(alice.ask_deferred(wait_seconds=1))
    assert alice.wait_for_delivery(call_id).state == "undelivered"
    with pytest.raises(Conflict, match="no longer waits for this answer"):
        retry_delivery(alice, call_id)
    assert glific.resumptions == []


@pytest.mark.parametrize("seconds", [0, -1, "soon", 86_401])
def test_an_invalid_wait_seconds_is_refused(alice: TestOrganization, openai: OpenAIStandIn, seconds: int | str) -> None:
    assert "wait_seconds" in require_error(alice.ask_deferred(wait_seconds=seconds), "invalid_field")["error"]
    assert openai.requests == []
