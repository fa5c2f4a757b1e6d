"""Typical flows of NGOs against the real server: exported, and converted."""

from typing import Any

import pytest
from pydantic import SecretStr

from glific_gpt.flows.converting import ModelRules, convert
from glific_gpt.flows.endpoint import WebhookEndpoint
from glific_gpt.flows.simulator import Conversation
from tests.flows.simulator.conversations import simulate
from tests.flows.simulator.nodes import (
    action_node,
    export,
    reply_node,
    send_message,
    set_result,
    split_node,
    wait_node,
    webhook_node,
)
from tests.support.deferred import create_connected_organization
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import answer, echo, out_of_credit
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.support.simulated_glific import connect_conversations

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

BODY = {
    "contact": "@contact",
    "results": "@results",
    "question_text": "@results.question_1.input",
    "gpt_model": "gpt-4o-mini",
    "flow_id": "@flow.id",
}
OLD_BODY = '{\n  "question_text": "@results.question_1",\n   "gpt_model":"gpt-4o"\n   \n}'


def call_of(organization: TestOrganization) -> dict[str, Any]:
    return {"url": organization.url, "headers": {"Authorization": f"Bearer {organization.token}"}, "body": BODY}


def asking_once(**call: Any) -> Any:
    return export(
        action_node("hello", send_message("Please type your question."), then="question"),
        reply_node("question", "call", keep_as="question_1"),
        webhook_node("call", success="tell", failure="sorry", **call),
        action_node("tell", send_message("@results.gpt.parsed_msg")),
        action_node("sorry", send_message("Sorry.")),
    )


def asking_twice(**call: Any) -> Any:
    """Return a flow with a second question that quotes the first answer, as real flows do."""
    again = call | {"body": '{"question_text": "@results.two", "prompt": "You said @results.gpt.parsed_msg"}'}
    return export(
        reply_node("question", "call", keep_as="question_1"),
        webhook_node("call", success="tell", failure="sorry", **call),
        action_node("tell", send_message("@results.gpt.parsed_msg"), then="question 2"),
        reply_node("question 2", "call 2", keep_as="two"),
        webhook_node("call 2", success="tell 2", failure="sorry", **again),
        action_node("tell 2", send_message("@results.gpt.parsed_msg")),
        action_node("sorry", send_message("Sorry.")),
    )


def asking_again_and_again(**call: Any) -> Any:
    stop = ("has_only_text", ["stop"], "stop")
    ways: dict[str, str | None] = {"stop": "thanks", "Other": "count"}
    return export(
        action_node("zero", set_result("n", "0"), then="question"),
        reply_node("question", "split", keep_as="question_1"),
        split_node("split", ways, stop, operand="@results.question_1.input"),
        action_node("count", set_result("n", "<%= @results.n + 1 %>"), then="call"),
        webhook_node("call", success="tell", failure="sorry", **call | {"url": call["url"] + "?n=@results.n"}),
        action_node("tell", send_message("@results.gpt.parsed_msg"), then="question"),
        action_node("sorry", send_message("Sorry.")),
        action_node("thanks", send_message("Thank you!")),
    )


def asking_for_later(**call: Any) -> Any:
    ways: dict[str, str | None] = {"ok": "tell", "Other": "sorry"}
    return export(
        reply_node("question", "call", keep_as="question_1"),
        webhook_node(
            "call", success="wait", failure="sorry", **call | {"url": call["url"] + "?mode=async", "result_name": "ack"}
        ),
        wait_node("wait", "wait_for_result", "120", "split"),
        split_node("split", ways, ("has_only_text", ["ok"], "ok"), operand="@results.gpt_response.status"),
        action_node("tell", send_message("@results.gpt_response.parsed_msg")),
        action_node("sorry", send_message("Sorry.")),
    )


def run_conversation(flow_export: Any, *replies: str) -> Conversation:
    conversation = simulate(flow_export)
    conversation.start("ask")
    for reply in replies:
        conversation.send_text(reply)
    assert conversation.problems == [], conversation.transcript()
    return conversation


def test_a_flow_with_one_question(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.will(answer("Salt."), out_of_credit())
    flow = asking_once(**call_of(alice))
    assert run_conversation(flow, "What is ORS?").messages == ["Please type your question.", "Salt."]
    assert run_conversation(flow, "What is ORS?").messages == ["Please type your question.", "Sorry."]


def test_a_flow_with_repeated_questions(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(echo())
    conversation = run_conversation(asking_again_and_again(**call_of(alice)), "one", "two", "STOP")
    assert [message.rpartition("=")[2] for message in conversation.messages] == ["one", "two", "Thank you!"]


def test_a_flow_with_a_later_answer(
    server_with_worker: RunningServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    alice = create_connected_organization(server_with_worker, glific)
    openai.always(answer("Salt.", after=0.1))
    conversation = simulate(asking_for_later(**call_of(alice)))
    connect_conversations(glific, conversation)
    conversation.start("ask")
    conversation.send_text("What is ORS?")
    assert conversation.wait_until_settled(10)
    assert (conversation.messages, conversation.ended) == (["Salt."], True)


@pytest.mark.parametrize(("asking", "questions"), [(asking_once, ["one"]), (asking_twice, ["one", "two"])])
def test_a_converted_flow_gets_answers(
    asking: Any, questions: list[str], alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.always(echo())
    exported = asking(url="parse_via_chat_gpt", method="FUNCTION", body=OLD_BODY)
    assert run_conversation(exported, "one").messages[-1] == "Sorry."
    converted = convert(exported, WebhookEndpoint(alice.url, SecretStr(alice.token))).export
    conversation = run_conversation(converted, *questions)
    assert conversation.messages[-1].endswith(f"question={questions[-1]}")
    assert [call.outcome for call in conversation.calls] == ["Success"] * len(questions)


def test_a_converted_flow_answers_from_documents_and_remembers(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.search("In May 【4:0†source】.")
    store = openai.documents.add_store(alice.key, "rules.pdf")
    body = {"question": "@results.question_1", "assistant_id": "asst_1", "remove_citation": True}
    again = {"question": "@results.two", "assistant_id": "asst_1", "thread_id": "@results.files.thread_id"}
    call = {"url": "filesearch-gpt", "method": "FUNCTION", "success": "tell", "failure": "sorry"}
    exported = export(
        reply_node("question", "call", keep_as="question_1"),
        webhook_node("call", result_name="files", body=body, **call),
        action_node("tell", send_message("@results.files.message"), then="ask two"),
        reply_node("ask two", "call again", keep_as="two"),
        webhook_node("call again", result_name="more", body=again, **call | {"success": "tell more"}),
        action_node("tell more", send_message("@results.more.message")),
        action_node("sorry", send_message("Sorry.")),
    )
    endpoint = WebhookEndpoint(alice.url, SecretStr(alice.token))
    converted = convert(exported, endpoint, models=ModelRules(vector_store_id=store)).export
    assert run_conversation(converted, "When?", "And how?").messages == ["In May.", "In May."]
    assert [message["role"] for message in openai.requests[-1].body["input"]] == ["user", "assistant", "user"]


def test_a_converted_flow_on_a_cycle_does_not_get_stuck(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(echo())
    exported = export(
        reply_node("question", "call", keep_as="question_1"),
        webhook_node("call", "parse_via_chat_gpt", method="FUNCTION", body=OLD_BODY, success="tell", failure="sorry"),
        action_node("tell", send_message("@results.gpt.parsed_msg"), then="question"),
        action_node("sorry", send_message("Sorry.")),
    )
    conversation = run_conversation(
        convert(exported, WebhookEndpoint(alice.url, SecretStr(alice.token))).export, *"abcde"
    )
    assert [message[-1] for message in conversation.messages] == [*"abcde"]
