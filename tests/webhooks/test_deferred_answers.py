"""Deferred calls: accepted immediately, recorded as pending, and delivered to the waiting flow."""

from typing import Any

import pytest

from tests.conftest import StartServer
from tests.support.deferred import (
    create_connected_organization,
    find_call,
    has_unfinished_work,
    pending_call_id,
    resumed_result,
    start_worker_in_process,
)
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import answer, json_answer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

pytestmark = pytest.mark.both_databases


@pytest.fixture
def alice(server_with_worker: RunningServer, glific: GlificStandIn) -> TestOrganization:
    """A connected organization on a server with a worker."""
    return create_connected_organization(server_with_worker, glific)


def test_it_accepts_a_call_and_resumes_the_flow_with_the_answer(
    alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(answer("Sugar and salt.", after=0.3))
    call_id = pending_call_id(alice.ask_deferred())
    assert alice.wait_for_delivery(call_id).state == "delivered"
    (resumed,) = glific.resumptions
    assert (resumed.flow_id, resumed.contact_id, resumed.result_name) == (5, 21, "gpt_response")
    assert resumed.result == {
        "success": True,
        "status": "ok",
        "parsed_msg": "Sugar and salt.",
        "model": "gpt-4o",
        "call_id": call_id,
    }


def test_it_records_a_call_as_pending_and_then_with_its_usage(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(answer(input_tokens=1000, output_tokens=100, after=0.5))
    call_id = pending_call_id(alice.ask_deferred())
    call_before = find_call(alice, call_id)
    alice.wait_for_delivery(call_id)
    call_after = find_call(alice, call_id)

    request_keys = ("function", "model", "contact_id", "flow_id", "error_code")
    assert [call_before[key] for key in request_keys] == ["parse_via_chat_gpt", "gpt-4o", 21, 5, None]
    assert [call_after[key] for key in request_keys] == [call_before[key] for key in request_keys]
    usage_keys = ("status", "input_tokens", "output_tokens", "cost_usd")
    assert [call_before[key] for key in usage_keys] == ["pending", None, None, None]
    assert [call_after[key] for key in usage_keys] == ["ok", 1000, 100, 0.0035]
    assert call_before["duration_ms"] is None
    assert 500 <= call_after["duration_ms"] < 10_000


def test_it_records_the_steps_of_a_delivery(alice: TestOrganization) -> None:
    row = alice.wait_for_delivery(pending_call_id(alice.ask_deferred()))
    assert (row.state, row.attempts, row.possibly_delivered) == ("delivered", 1, False)
    assert row.last_response == "Glific accepted the answer, and the flow continues."
    assert row.accepted_at
    assert row.asked_at
    assert row.answered_at
    assert row.ended_at
    assert row.accepted_at <= row.asked_at <= row.answered_at <= row.ended_at


def test_it_delivers_decoded_json(alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn) -> None:
    value = {"dose": {"salt": "6 pinches", "litres": 1}}
    openai.always(json_answer(value))
    alice.wait_for_delivery(pending_call_id(alice.ask_deferred(response_format={"type": "json_object"})))
    assert resumed_result(glific, 21)["parsed_msg"] == value


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("body", "flow_and_contact"),
    [
        ({"flow_id": "7", "contact": {"id": "22"}}, (7, 22)),
        ({"flow_id": 7, "contact": {"id": 21}, "contact_id": "23"}, (7, 23)),
        ({"flow_id": 7, "contact": "@contact.name", "contact_id": 24}, (7, 24)),
    ],
)
def test_it_accepts_each_form_of_flow_and_contact(
    alice: TestOrganization, glific: GlificStandIn, body: dict[str, Any], flow_and_contact: tuple[int, int]
) -> None:
    alice.wait_for_delivery(pending_call_id(alice.post({"question_text": "What is ORS?", **body}, query="?mode=async")))
    (resumed,) = glific.resumptions
    assert (resumed.flow_id, resumed.contact_id) == flow_and_contact


def test_it_delivers_the_answer_under_the_requested_result_name(alice: TestOrganization, glific: GlificStandIn) -> None:
    alice.wait_for_delivery(pending_call_id(alice.ask_deferred(result_name="the-answer_2")))
    assert [resumed.result_name for resumed in glific.resumptions] == ["the-answer_2"]


def test_it_formats_text_for_whatsapp_and_neutralises_expressions(
    alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(answer("**Salt** for @contact.name <%= System.halt() %>"))
    alice.wait_for_delivery(pending_call_id(alice.ask_deferred()))
    text = resumed_result(glific, 21)["parsed_msg"]
    assert text.startswith("*Salt* for ")
    assert "@contact.name" not in text
    assert "<%" not in text


def test_accepted_calls_stay_queued_until_a_worker_starts(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    alice = create_connected_organization(start_server(), glific)
    first, second = (pending_call_id(alice.ask_deferred(contact=contact)) for contact in (21, 22))
    assert has_unfinished_work(alice.server)
    assert openai.requests == []
    start_worker_in_process(alice.server)
    assert {alice.wait_for_delivery(call_id).state for call_id in (first, second)} == {"delivered"}
    assert (resumed_result(glific, 21)["call_id"], resumed_result(glific, 22)["call_id"]) == (first, second)
