"""The flows that NGOs have, against the real server: as they were exported, and converted to call it."""

from typing import Any

import pytest
from pydantic import SecretStr

from glific_gpt.flows.converting import convert
from glific_gpt.flows.simulator import Conversation
from glific_gpt.flows.webhook_auth import WayIn
from tests.flows.simulator.building import asks, calls, does, export, keeps, says, splits, waits
from tests.support.glific_stand_in import GlificStandIn
from tests.support.house import House, Ngo
from tests.support.later import connected_ngo
from tests.support.openai_behaviours import answer, echo, out_of_credit
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.simulated_glific import connect

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

BODY = {
    "contact": "@contact",
    "results": "@results",
    "question_text": "@results.question_1.input",
    "gpt_model": "gpt-4o-mini",
    "flow_id": "@flow.id",
}
OLD_BODY = '{\n  "question_text": "@results.question_1",\n   "gpt_model":"gpt-4o"\n   \n}'


def in_house(ngo: Ngo) -> dict[str, Any]:
    return {"url": ngo.url, "headers": {"Authorization": f"Bearer {ngo.token}"}, "body": BODY}


def asking_once(**call: Any) -> Any:
    return export(
        does("hello", says("Please type your question."), then="question"),
        asks("question", "call", keep_as="question_1"),
        calls("call", success="tell", failure="sorry", **call),
        does("tell", says("@results.gpt.parsed_msg")),
        does("sorry", says("Sorry.")),
    )


def asking_twice(**call: Any) -> Any:
    """The second question quotes the first answer, as real flows do."""
    again = call | {"body": '{"question_text": "@results.two", "prompt": "You said @results.gpt.parsed_msg"}'}
    return export(
        asks("question", "call", keep_as="question_1"),
        calls("call", success="tell", failure="sorry", **call),
        does("tell", says("@results.gpt.parsed_msg"), then="question 2"),
        asks("question 2", "call 2", keep_as="two"),
        calls("call 2", success="tell 2", failure="sorry", **again),
        does("tell 2", says("@results.gpt.parsed_msg")),
        does("sorry", says("Sorry.")),
    )


def asking_again_and_again(**call: Any) -> Any:
    stop = ("has_only_text", ["stop"], "stop")
    ways: dict[str, str | None] = {"stop": "thanks", "Other": "count"}
    return export(
        does("zero", keeps("n", "0"), then="question"),
        asks("question", "split", keep_as="question_1"),
        splits("split", ways, stop, operand="@results.question_1.input"),
        does("count", keeps("n", "<%= @results.n + 1 %>"), then="call"),
        calls("call", success="tell", failure="sorry", **call | {"url": call["url"] + "?n=@results.n"}),
        does("tell", says("@results.gpt.parsed_msg"), then="question"),
        does("sorry", says("Sorry.")),
        does("thanks", says("Thank you!")),
    )


def asking_for_later(**call: Any) -> Any:
    ways: dict[str, str | None] = {"ok": "tell", "Other": "sorry"}
    return export(
        asks("question", "call", keep_as="question_1"),
        calls(
            "call", success="wait", failure="sorry", **call | {"url": call["url"] + "?mode=async", "result_name": "ack"}
        ),
        waits("wait", "wait_for_result", "120", "split"),
        splits("split", ways, ("has_only_text", ["ok"], "ok"), operand="@results.gpt_response.status"),
        does("tell", says("@results.gpt_response.parsed_msg")),
        does("sorry", says("Sorry.")),
    )


def held(export_: Any, *replies: str) -> Conversation:
    conversation = Conversation(export_)
    conversation.start("ask")
    for reply in replies:
        conversation.say(reply)
    assert conversation.trouble == [], conversation.transcript()
    return conversation


def test_one_question(alice: Ngo, openai: OpenAIStandIn) -> None:
    openai.will(answer("Salt."), out_of_credit())
    flow = asking_once(**in_house(alice))
    assert held(flow, "What is ORS?").messages == ["Please type your question.", "Salt."]
    assert held(flow, "What is ORS?").messages == ["Please type your question.", "Sorry."]


def test_one_question_after_another(alice: Ngo, openai: OpenAIStandIn) -> None:
    openai.always(echo())
    conversation = held(asking_again_and_again(**in_house(alice)), "one", "two", "STOP")
    assert [message.rpartition("=")[2] for message in conversation.messages] == ["one", "two", "Thank you!"]


def test_an_answer_that_comes_later(working_house: House, openai: OpenAIStandIn, glific: GlificStandIn) -> None:
    alice = connected_ngo(working_house, glific)
    openai.always(answer("Salt.", after=0.1))
    conversation = Conversation(asking_for_later(**in_house(alice)))
    connect(glific, conversation)
    conversation.start("ask")
    conversation.say("What is ORS?")
    assert conversation.settle(10)
    assert (conversation.messages, conversation.ended) == (["Salt."], True)


@pytest.mark.parametrize(("asking", "questions"), [(asking_once, ["one"]), (asking_twice, ["one", "two"])])
def test_a_flow_with_glifics_own_function_is_answered_once_it_is_converted(
    asking: Any, questions: list[str], alice: Ngo, openai: OpenAIStandIn
) -> None:
    openai.always(echo())
    exported = asking(url="parse_via_chat_gpt", method="FUNCTION", body=OLD_BODY)
    assert held(exported, "one").messages[-1] == "Sorry."
    converted = convert(exported, WayIn(alice.url, SecretStr(alice.token))).export
    conversation = held(converted, *questions)
    assert conversation.messages[-1].endswith(f"question={questions[-1]}")
    assert [call.outcome for call in conversation.calls] == ["Success"] * len(questions)


def test_a_converted_flow_that_comes_back_to_its_question_does_not_hang(alice: Ngo, openai: OpenAIStandIn) -> None:
    openai.always(echo())
    exported = export(
        asks("question", "call", keep_as="question_1"),
        calls("call", "parse_via_chat_gpt", method="FUNCTION", body=OLD_BODY, success="tell", failure="sorry"),
        does("tell", says("@results.gpt.parsed_msg"), then="question"),
        does("sorry", says("Sorry.")),
    )
    conversation = held(convert(exported, WayIn(alice.url, SecretStr(alice.token))).export, *"abcde")
    assert [message[-1] for message in conversation.messages] == [*"abcde"]
