"""Flows that were converted to stand beside the old ones, in conversation with the real server."""

from typing import Any

import pytest
from pydantic import SecretStr

from glific_gpt.flows.converting import Place, convert
from glific_gpt.flows.rules import broken
from glific_gpt.flows.simulator import Conversation
from glific_gpt.flows.webhook_auth import WayIn
from tests.flows import exports
from tests.flows.exports import Json, acts, calls, hears, routes, says, uid
from tests.support.house import Ngo
from tests.support.openai_behaviours import echo
from tests.support.openai_stand_in import OpenAIStandIn

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

BODY = '{"question_text": "@results.question.input"}'
COMPLETED: Json = {"type": "has_only_text", "arguments": ["completed"]}


def menu_with_a_sub_flow() -> Json:
    """A menu that has its questions asked by a flow of their own, in the same file."""
    answers: Json = {"uuid": uid("flow Answers"), "name": "Answers"}
    menu = [
        says("greet", "Welcome to @flow.name", "enter"),
        routes(
            "enter",
            ("Complete", "done", COMPLETED),
            ("Expired", None, None),
            actions=({"type": "enter_flow", "flow": answers},),
            operand="@child.status",
        ),
        acts("done", {"type": "send_msg", "text": "That was @results.child.gpt_response.parsed_msg"}, to=None),
    ]
    asking = [
        says("ask", "What would you like to know?", "hear"),
        hears("hear", "question", "gpt"),
        calls("gpt", "answer", "sorry", body=BODY),
        says("answer", "@results.gpt_response.parsed_msg", None),
        says("sorry", "Sorry.", None),
    ]
    return exports.export(exports.flow("Menu", menu, "menu"), exports.flow("Answers", asking, "answers"))


def held(export: Any, *said: str) -> Conversation:
    conversation = Conversation(export)
    conversation.start(said[0])
    for reply in said[1:]:
        conversation.say(reply)
    assert conversation.trouble == [], conversation.transcript()
    return conversation


@pytest.fixture
def beside(alice: Ngo) -> Json:
    way_in = WayIn(alice.url, SecretStr(alice.token))
    converted = convert(menu_with_a_sub_flow(), way_in, Place.BESIDE).export
    assert broken(converted) == []
    return converted


def test_a_flow_enters_its_own_sub_flow_and_is_answered(beside: Json, openai: OpenAIStandIn) -> None:
    openai.always(echo())
    conversation = held(beside, "menuown", "What is ORS?")
    greeting, question, answer, last = conversation.messages
    assert (greeting, question) == ("Welcome to Menu (own key)", "What would you like to know?")
    assert answer.endswith("question=What is ORS?")
    assert last == f"That was {answer}"
    assert conversation.ended


def test_both_are_in_glific_at_once_and_do_not_disturb_each_other(beside: Json, openai: OpenAIStandIn) -> None:
    openai.always(echo())
    old = menu_with_a_sub_flow()
    both = {**old, "flows": [*old["flows"], *beside["flows"]]}
    assert broken(both) == []
    assert held(both, "answers", "What is ORS?").messages[1] == "Sorry."
    assert held(both, "draft:menuown", "What is ORS?").messages[2].endswith("question=What is ORS?")
    assert held(both, "Answers own!", "What is ORS?").messages[1].endswith("question=What is ORS?")
