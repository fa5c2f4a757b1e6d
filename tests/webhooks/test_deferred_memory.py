"""Conversations with memory whose answers come later: the resumed flow gets the thread id too."""

from typing import Any

import pytest

from tests.conftest import StartServer
from tests.support.deferred import create_connected_organization, start_worker_in_process
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import answer, out_of_credit, respond_after
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

pytestmark = pytest.mark.usefixtures("patient_deferral")

VARIABLE = "@results.gpt_response.thread_id"
MODES = ("async", "auto")


@pytest.fixture
def alice(start_server: StartServer, glific: GlificStandIn) -> TestOrganization:
    """A connected organization with a short deadline."""
    return create_connected_organization(start_server(with_worker=True, deadline_seconds=0.2), glific)


def ask_later(alice: TestOrganization, glific: GlificStandIn, mode: str, **body: Any) -> tuple[Any, Any]:
    """Return the reply that the answer is pending, and the result with which the flow is resumed."""
    pending = alice.ask_deferred(mode, **body).json()
    assert pending["status"] == "pending"
    alice.wait_for_delivery(pending["call_id"])
    return pending, glific.resumptions[-1].result


@pytest.mark.parametrize("mode", MODES)
def test_a_resumed_flow_continues_its_conversation(
    mode: str, alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.will(answer("Sugar and salt.", after=0.35), answer("Six spoons.", after=0.35))
    pending, first = ask_later(alice, glific, mode, thread_id=VARIABLE)
    assert "thread_id" not in pending
    assert first["memory"] == "new"
    pending, second = ask_later(alice, glific, mode, thread_id=first["thread_id"], question_text="How much?")
    assert second["memory"] == "continued"
    sent = [message["content"] for message in openai.requests[-1].body["messages"]]
    assert sent == ["What is ORS?", "Sugar and salt.", "How much?"]
    # The pending reply replaces the flow's result. If the wait runs out, the next question still continues.
    assert pending["thread_id"] == first["thread_id"]
    assert second["thread_id"] not in {None, "", first["thread_id"]}


@pytest.mark.parametrize("mode", MODES)
def test_a_resumed_failure_returns_the_thread_id_that_the_call_sent(
    mode: str, alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    thread_id = alice.ask(thread_id="", contact_id=21).json()["thread_id"]
    openai.will(respond_after(0.35, out_of_credit()))
    _, failure = ask_later(alice, glific, mode, thread_id=thread_id)
    assert (failure["error_code"], failure["thread_id"]) == ("insufficient_quota", thread_id)
    assert "memory" not in failure


def test_a_call_that_is_refused_later_returns_it_too(
    server: RunningServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    alice = create_connected_organization(server, glific)
    thread_id = alice.ask(thread_id="", contact_id=21).json()["thread_id"]
    call_id = alice.ask_deferred(thread_id=thread_id).json()["call_id"]
    row = alice.delivery(call_id)
    assert row.question
    assert thread_id not in row.question
    alice.switch_key(on=False)
    start_worker_in_process(server)
    alice.wait_for_delivery(call_id)
    result = glific.resumptions[-1].result
    assert (result["error_code"], result["thread_id"]) == ("credential_inactive", thread_id)


def test_a_call_without_memory_stays_without(server_with_worker: RunningServer, glific: GlificStandIn) -> None:
    _, result = ask_later(create_connected_organization(server_with_worker, glific), glific, "async")
    assert result.keys() == {"success", "status", "parsed_msg", "model", "call_id"}
