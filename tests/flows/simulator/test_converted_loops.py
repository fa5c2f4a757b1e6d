"""Converted flows that return to their GPT node within a minute, against the real server."""

import pytest
from pydantic import SecretStr

from glific_gpt.flows.converting import convert
from glific_gpt.flows.endpoint import WebhookEndpoint
from glific_gpt.flows.simulator import Conversation
from tests.flows import exports
from tests.flows.exports import Json, message_node, reply_node, webhook_node
from tests.flows.simulator.conversations import simulate
from tests.support import openai_behaviours as behaviours
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

BODY = '{"question_text": "@results.question.input"}'


def run_conversation(
    alice: TestOrganization, *, sorry_to: str = "hear", result_name: str = "gpt_response"
) -> Conversation:
    """Return a conversation after two failed questions in quick succession."""
    nodes: list[Json] = [
        message_node("ask", "What would you like to know?", "hear"),
        reply_node("hear", "question", "gpt"),
        webhook_node("gpt", "answer", "sorry", body=BODY, result_name=result_name),
        message_node("answer", f"@results.{result_name}.parsed_msg", "hear"),
        message_node("sorry", "Sorry.", sorry_to),
    ]
    endpoint = WebhookEndpoint(alice.url, SecretStr(alice.token))
    conversation = simulate(convert(exports.export(exports.flow("Ask", nodes, "ask")), endpoint).export)
    conversation.start("ask")
    for question in ("What is ORS?", "What is ORS?"):
        conversation.send_text(question)
    return conversation


@pytest.mark.parametrize("result_name", ["gpt_response", "gpt answer"])
def test_after_a_failure_the_next_call_is_not_dropped(
    alice: TestOrganization, openai: OpenAIStandIn, result_name: str
) -> None:
    openai.always(behaviours.out_of_credit())
    conversation = run_conversation(alice, result_name=result_name)
    assert conversation.problems == [], conversation.transcript()
    assert [call.outcome for call in conversation.calls] == ["Failure", "Failure"]
    assert conversation.messages[1:] == ["Sorry.", "Sorry."]
    assert conversation.waits_for == "reply"
    assert len({call.url for call in conversation.calls}) == 2


def test_a_cycle_without_a_reply_gets_stuck_as_its_warning_says(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(behaviours.out_of_credit())
    conversation = run_conversation(alice, sorry_to="gpt")
    assert [problem.code for problem in conversation.problems] == ["hangs"]
