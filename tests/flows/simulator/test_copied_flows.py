"""Converted copies of flows beside the old ones, against the real server."""

from typing import Any

import pytest
from pydantic import SecretStr

from glific_gpt.flows.converting import Placement, convert
from glific_gpt.flows.endpoint import WebhookEndpoint
from glific_gpt.flows.rules import find_violations
from glific_gpt.flows.simulator import Conversation
from tests.flows import exports
from tests.flows.exports import Json, action_node, message_node, reply_node, router_node, uuid_of, webhook_node
from tests.flows.simulator.conversations import simulate
from tests.support.openai_behaviours import echo
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

BODY = '{"question_text": "@results.question.input"}'
COMPLETED: Json = {"type": "has_only_text", "arguments": ["completed"]}


def menu_with_a_sub_flow() -> Json:
    """Return a menu that enters a second flow of the same file for its questions."""
    answers: Json = {"uuid": uuid_of("flow Answers"), "name": "Answers"}
    menu = [
        message_node("greet", "Welcome to @flow.name", "enter"),
        router_node(
            "enter",
            ("Complete", "conversion", COMPLETED),
            ("Expired", None, None),
            actions=({"type": "enter_flow", "flow": answers},),
            operand="@child.status",
        ),
        action_node(
            "conversion", {"type": "send_msg", "text": "That was @results.child.gpt_response.parsed_msg"}, to=None
        ),
    ]
    asking = [
        message_node("ask", "What would you like to know?", "hear"),
        reply_node("hear", "question", "gpt"),
        webhook_node("gpt", "answer", "sorry", body=BODY),
        message_node("answer", "@results.gpt_response.parsed_msg", None),
        message_node("sorry", "Sorry.", None),
    ]
    return exports.export(exports.flow("Menu", menu, "menu"), exports.flow("Answers", asking, "answers"))


def run_conversation(export: Any, *replies: str) -> Conversation:
    conversation = simulate(export)
    conversation.start(replies[0])
    for reply in replies[1:]:
        conversation.send_text(reply)
    assert conversation.problems == [], conversation.transcript()
    return conversation


@pytest.fixture
def beside(alice: TestOrganization) -> Json:
    endpoint = WebhookEndpoint(alice.url, SecretStr(alice.token))
    converted = convert(menu_with_a_sub_flow(), endpoint, Placement.COPY).export
    assert find_violations(converted) == []
    return converted


def test_a_copied_flow_enters_its_copied_sub_flow(beside: Json, openai: OpenAIStandIn) -> None:
    openai.always(echo())
    conversation = run_conversation(beside, "menuown", "What is ORS?")
    greeting, question, answer, last = conversation.messages
    assert (greeting, question) == ("Welcome to Menu (own key)", "What would you like to know?")
    assert answer.endswith("question=What is ORS?")
    assert last == f"That was {answer}"
    assert conversation.ended


def test_old_flow_and_copy_work_side_by_side(beside: Json, openai: OpenAIStandIn) -> None:
    openai.always(echo())
    old = menu_with_a_sub_flow()
    both = {**old, "flows": [*old["flows"], *beside["flows"]]}
    assert find_violations(both) == []
    assert run_conversation(both, "answers", "What is ORS?").messages[1] == "Sorry."
    assert run_conversation(both, "draft:menuown", "What is ORS?").messages[2].endswith("question=What is ORS?")
    assert run_conversation(both, "Answers own!", "What is ORS?").messages[1].endswith("question=What is ORS?")
