"""Delivery by a signed call: correctly signed, not before two seconds, and as a success for failures too."""

import time
from typing import Any

import pytest

from tests.support.deferred import count_deliveries, find_call, pending_call_id, resumed_result, start_worker_in_process
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import answer, out_of_credit
from tests.support.openai_exchange import Exchange
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import require_error

PHRASE = "a phrase that only Glific knows"
MIN_DELAY_SECONDS = 2.0


@pytest.fixture
def alice(server: RunningServer, glific: GlificStandIn) -> TestOrganization:
    """An organization that is connected by signed calls, on a server without a worker."""
    glific.phrase = PHRASE
    alice = server.add_organization("alice")
    alice.connect_signed(glific, PHRASE)
    return alice


def get_signed_body(glific: GlificStandIn, contact: int) -> Any:
    """Return the body of the only signed call for this contact."""
    (body,) = [request.body for request in glific.requests if request.body["metadata"]["contact_id"] == contact]
    return body


def refuse_the_second_question(exchange: Exchange) -> None:
    (out_of_credit() if exchange.received.question == "second" else answer("Salt."))(exchange)


def test_it_signs_answers_and_failures_and_waits_two_seconds(
    alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(refuse_the_second_question)
    start_worker_in_process(alice.server)
    started = time.monotonic()
    calls = {
        21: pending_call_id(alice.ask_deferred()),
        22: pending_call_id(alice.ask_deferred(question_text="second", contact=22)),
    }
    for contact, call_id in calls.items():
        row = alice.wait_for_delivery(call_id)
        assert (row.state, row.attempts) == ("delivered", 1)
        assert resumed_result(glific, contact)["call_id"] == call_id
    assert all(resumed.signature_is_right for resumed in glific.resumptions)
    assert all(MIN_DELAY_SECONDS <= resumed.at - started < MIN_DELAY_SECONDS + 3 for resumed in glific.resumptions)
    assert [get_signed_body(glific, contact)["success"] for contact in (21, 22)] == [True, True]
    assert get_signed_body(glific, 21)["data"]["response"]["output"]["content"]["value"] == "Salt."
    assert resumed_result(glific, 21)["parsed_msg"] == "Salt."
    assert (resumed_result(glific, 22)["status"], resumed_result(glific, 22)["error_code"]) == (
        "error",
        "insufficient_quota",
    )
    assert [find_call(alice, call_id)["status"] for call_id in calls.values()] == ["ok", "error"]


def test_the_stored_organization_id_takes_precedence_over_that_of_the_call(
    alice: TestOrganization, server: RunningServer, glific: GlificStandIn
) -> None:
    bob = server.add_organization("bob")
    bob.connect_signed(glific, PHRASE)
    alice_call_id, bob_call_id = (
        pending_call_id(alice.ask_deferred(contact=1)),
        pending_call_id(bob.ask_deferred(contact=2)),
    )
    bob.change(glific_organization_id=42)
    start_worker_in_process(server)
    assert alice.wait_for_delivery(alice_call_id).state == bob.wait_for_delivery(bob_call_id).state == "delivered"
    assert [get_signed_body(glific, contact)["metadata"]["organization_id"] for contact in (1, 2)] == [17, 42]


def test_it_refuses_a_call_without_a_known_organization_id(
    alice: TestOrganization, server: RunningServer, openai: OpenAIStandIn
) -> None:
    for mode in ("async", "auto"):
        refused = require_error(alice.ask_deferred(mode, organization_id=None), "missing_flow_context")
        assert "Glific organization ID" in refused["error"]
    assert (count_deliveries(server), openai.requests) == (0, [])


def test_a_deleted_phrase_makes_an_answer_undelivered(
    alice: TestOrganization, server: RunningServer, glific: GlificStandIn
) -> None:
    call_id = pending_call_id(alice.ask_deferred())
    assert server.app.test_cli_runner().invoke(args=["signature", "clear", "alice"]).exit_code == 0
    start_worker_in_process(server)
    row = alice.wait_for_delivery(call_id)
    assert row.state == "undelivered"
    assert "webhook signature" in str(row.last_response)
    assert glific.requests == []
