"""Flows that enter other flows of the same file."""

from typing import Any

from glific_gpt.flows.simulator import Conversation, TroubleCode
from tests.flows.simulator.building import act, asks, calls, does, flow, keeps, says, splits, together
from tests.flows.simulator.webhook_stand_in import WebhookStandIn


def enters(uuid: str, flow_uuid: str, then: str | None, **more: Any) -> dict[str, Any]:
    ways: dict[str, str | None] = {"Complete": then, "Expired": None}
    action = act("enter_flow", flow={"uuid": flow_uuid, "name": flow_uuid, **more})
    return splits(uuid, ways, ("has_only_text", ["completed"], "Complete"), actions=(action,), operand="@child.status")


def test_it_comes_back_with_what_the_other_flow_has_stored() -> None:
    outer = flow(
        does("keep", keeps("a", "1"), then="enter"), enters("enter", "Inner", "tell"), does("tell", says(TOLD))
    )
    inner = flow(asks("ask", "say"), does("say", says("@results.parent.a @flow.id")), name="Inner", keyword="inner")
    conversation = Conversation(together(outer, inner), flow_id=7)
    conversation.start("ask")
    conversation.say("hello")
    assert (conversation.messages, conversation.ended) == (["1 8", "1 hello"], True)


TOLD = "@results.a @results.child.answer.input"


def test_the_other_flow_may_be_chosen_by_an_expression() -> None:
    outer = flow(does("keep", keeps("a", "Inner"), then="enter"), enters("enter", "", "tell", expression="@results.a"))
    inner = flow(does("say", says("inside")), name="Inner", keyword="inner")
    conversation = Conversation(together(outer, inner))
    conversation.start("ask")
    assert conversation.messages == ["inside"]


def test_it_does_not_come_back_where_nothing_follows(webhook: WebhookStandIn) -> None:
    outer = flow(enters("enter", "Inner", None))
    inner = flow(calls("call", webhook.url, success="say"), does("say", says("inside")), name="Inner", keyword="i")
    conversation = Conversation(together(outer, inner))
    conversation.start("ask")
    assert (conversation.messages, conversation.ended, conversation.trouble) == (["inside"], True, [])


def test_a_flow_that_enters_itself_is_ended() -> None:
    conversation = Conversation(together(flow(enters("enter", "A flow", "enter"))))
    conversation.start("ask")
    assert [trouble.code for trouble in conversation.trouble] == [TroubleCode.ABORTED]
    assert conversation.ended


def test_a_flow_that_is_not_in_the_file_cannot_be_entered() -> None:
    conversation = Conversation(together(flow(enters("enter", "Elsewhere", None))))
    conversation.start("ask")
    assert conversation.hangs
    assert "not in this file" in conversation.trouble[0].says
