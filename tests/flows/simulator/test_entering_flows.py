"""Flows that enter other flows of the same file."""

from typing import Any

from glific_gpt.flows.simulator import ProblemCode
from tests.flows.simulator.conversations import simulate
from tests.flows.simulator.nodes import (
    action_node,
    export_of,
    flow,
    make_action,
    reply_node,
    send_message,
    set_result,
    split_node,
    webhook_node,
)
from tests.flows.simulator.webhook_stand_in import WebhookStandIn


def enters(uuid: str, flow_uuid: str, then: str | None, **more: Any) -> dict[str, Any]:
    ways: dict[str, str | None] = {"Complete": then, "Expired": None}
    action = make_action("enter_flow", flow={"uuid": flow_uuid, "name": flow_uuid, **more})
    return split_node(
        uuid, ways, ("has_only_text", ["completed"], "Complete"), actions=(action,), operand="@child.status"
    )


def test_it_returns_with_the_results_of_the_other_flow() -> None:
    outer = flow(
        action_node("keep", set_result("a", "1"), then="enter"),
        enters("enter", "Inner", "tell"),
        action_node("tell", send_message(TOLD)),
    )
    inner = flow(
        reply_node("ask", "say"),
        action_node("say", send_message("@results.parent.a @flow.id")),
        name="Inner",
        keyword="inner",
    )
    conversation = simulate(export_of(outer, inner), first_flow_id=7)
    conversation.start("ask")
    conversation.send_text("hello")
    assert (conversation.messages, conversation.ended) == (["1 8", "1 hello"], True)


TOLD = "@results.a @results.child.answer.input"


def test_the_other_flow_may_be_chosen_by_an_expression() -> None:
    outer = flow(
        action_node("keep", set_result("a", "Inner"), then="enter"),
        enters("enter", "", "tell", expression="@results.a"),
    )
    inner = flow(action_node("say", send_message("inside")), name="Inner", keyword="inner")
    conversation = simulate(export_of(outer, inner))
    conversation.start("ask")
    assert conversation.messages == ["inside"]


def test_it_does_not_return_if_no_node_follows(webhook: WebhookStandIn) -> None:
    outer = flow(enters("enter", "Inner", None))
    inner = flow(
        webhook_node("call", webhook.url, success="say"),
        action_node("say", send_message("inside")),
        name="Inner",
        keyword="i",
    )
    conversation = simulate(export_of(outer, inner))
    conversation.start("ask")
    assert (conversation.messages, conversation.ended, conversation.problems) == (["inside"], True, [])


def test_a_flow_that_enters_itself_is_ended() -> None:
    conversation = simulate(export_of(flow(enters("enter", "A flow", "enter"))))
    conversation.start("ask")
    assert [problem.code for problem in conversation.problems] == [ProblemCode.ABORTED]
    assert conversation.ended


def test_a_flow_that_is_not_in_the_file_cannot_be_entered() -> None:
    conversation = simulate(export_of(flow(enters("enter", "Elsewhere", None))))
    conversation.start("ask")
    assert conversation.is_stuck
    assert "not in this file" in conversation.problems[0].says
