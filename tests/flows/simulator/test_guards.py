"""Calls that Glific drops, and conversations that it ends."""

from typing import Any

import pytest

from glific_gpt.flows.simulator import Conversation, ProblemCode
from tests.flows.simulator.conversations import simulate
from tests.flows.simulator.nodes import (
    action_node,
    export,
    export_of,
    flow,
    make_action,
    reply_node,
    send_message,
    set_result,
    split_node,
    wait_node,
    webhook_node,
)
from tests.flows.simulator.webhook_stand_in import WebhookStandIn, json_reply


def chat(url: str) -> Any:
    """Return a flow that asks and answers for ever, with a counter that the address may use."""
    return export(
        action_node("begin", set_result("n", "0"), then="question"),
        reply_node("question", "count"),
        action_node("count", set_result("n", "<%= @results.n + 1 %>"), then="call"),
        webhook_node("call", url, success="tell", failure="tell"),
        action_node("tell", send_message("@results.gpt.parsed_msg @results.n.input"), then="question"),
    )


def start(flow_export: Any) -> Conversation:
    conversation = simulate(flow_export, now=lambda: 1000.0)
    conversation.start()
    return conversation


def codes(conversation: Conversation) -> list[ProblemCode]:
    return [problem.code for problem in conversation.problems]


def test_a_repeated_call_within_a_minute_is_dropped(webhook: WebhookStandIn) -> None:
    conversation = start(chat(webhook.url))
    conversation.send_text("one")
    conversation.advance_clock(59)
    conversation.send_text("two")
    assert (conversation.is_stuck, conversation.waits_for, codes(conversation)) == (True, None, [ProblemCode.STUCK])
    conversation.send_text("three")
    conversation.advance_clock(10_000)
    assert (len(webhook.requests), conversation.messages) == (1, ["Salt. 1"])


def test_a_repeated_call_after_a_minute_is_made(webhook: WebhookStandIn) -> None:
    conversation = start(chat(webhook.url))
    conversation.send_text("one")
    conversation.advance_clock(60)
    conversation.send_text("two")
    assert (conversation.messages, conversation.problems) == (["Salt. 1", "Salt. 2"], [])


def test_a_keyword_starts_a_conversation_with_its_own_calls(webhook: WebhookStandIn) -> None:
    conversation = start(chat(webhook.url))
    conversation.send_text("one")
    conversation.send_text("two")
    conversation.send_text("ask")
    conversation.send_text("two")
    assert conversation.messages == ["Salt. 1", "Salt. 1"]


def test_a_counter_in_the_address_allows_repeated_calls(webhook: WebhookStandIn) -> None:
    conversation = start(chat(webhook.url + "?n=@results.n.input"))
    for question in ("one", "two", "three", "four", "five"):
        conversation.send_text(question)
    assert [request.path for request in webhook.requests] == [f"/ask?n={n}" for n in range(1, 6)]
    assert conversation.problems == []


@pytest.mark.parametrize("body", ["not JSON", '{"n": @results.n}', "[1]", "NaN", '{"n": NaN}', "[" * 5000])
def test_an_invalid_body_stops_the_conversation(webhook: WebhookStandIn, body: str) -> None:
    conversation = start(export(webhook_node("call", webhook.url, body=body)))
    assert (conversation.is_stuck, codes(conversation)) == (True, [ProblemCode.STUCK])
    assert webhook.requests == []


@pytest.mark.parametrize("method", ["PATCH", "PUT", ""])
def test_an_unknown_method_stops_the_conversation(webhook: WebhookStandIn, method: str) -> None:
    conversation = start(export(webhook_node("call", webhook.url, method=method)))
    assert (conversation.is_stuck, webhook.requests) == (True, [])


def test_a_flow_with_endless_calls_is_stopped(webhook: WebhookStandIn) -> None:
    webhook.always(json_reply({}, 500))
    count, call = chat(webhook.url + "?n=@results.n")["flows"][0]["definition"]["nodes"][2:4]
    conversation = start(export(action_node("begin", set_result("n", "0"), then="count"), count, with_retry(call)))
    assert (conversation.is_stuck, codes(conversation)) == (True, [ProblemCode.STUCK])
    assert len(webhook.requests) == 20


def with_retry(call: dict[str, Any]) -> dict[str, Any]:
    """Return the webhook node with its failure leading back to it."""
    call["exits"][1]["destination_uuid"] = "count"
    return call


def repeating(text: str) -> Any:
    return export(reply_node("wait", "say"), action_node("say", send_message(text), then="wait"))


def test_a_text_sent_five_times_by_one_node_ends_the_flow() -> None:
    conversation = start(repeating("Sorry."))
    for number in range(4):
        conversation.send_text(str(number))
    assert (conversation.messages, conversation.problems) == (["Sorry."] * 4, [])
    conversation.send_text("5")
    assert (len(conversation.messages), conversation.ended) == (4, True)
    assert codes(conversation) == [ProblemCode.ABORTED]


def test_the_same_answer_to_five_questions_ends_the_flow(webhook: WebhookStandIn) -> None:
    answer = action_node("tell", send_message("@results.gpt.parsed_msg"), then="question")
    nodes = chat(webhook.url + "?n=@results.n")["flows"][0]["definition"]["nodes"][:4]
    conversation = start(export(*nodes, answer))
    for question in ("one", "two", "three", "four", "five"):
        conversation.send_text(question)
    assert (conversation.messages, conversation.ended) == (["Salt."] * 4, True)
    assert len(webhook.requests) == 5


def with_exit_loop(*between: dict[str, Any]) -> Any:
    """Return a flow that repeats a text, and follows the category `Exit Loop` after the fifth time."""
    ways: dict[str, str | None] = {"Exit Loop": "goodbye", "Other": "say"}
    return export(
        split_node("wait", ways, operand="@input.text", wait={"type": "msg"}),
        action_node("say", send_message("Sorry."), then=between[0]["uuid"] if between else "wait"),
        *between,
        action_node("goodbye", send_message("Goodbye.")),
    )


@pytest.mark.parametrize(
    "between",
    [
        (),
        (action_node("note", set_result("n", "1"), then="wait"),),
        (action_node("note", send_message("Really, @results.answer"), set_result("n", "1"), then="wait"),),
    ],
)
def test_the_category_exit_loop_is_followed(between: tuple[dict[str, Any], ...]) -> None:
    conversation = start(with_exit_loop(*between))
    for number in range(5):
        conversation.send_text(str(number))
    assert conversation.messages.count("Sorry.") == 4
    assert (conversation.messages[-1], conversation.ended) == ("Goodbye.", True)
    assert ProblemCode.ABORTED not in codes(conversation)


@pytest.mark.parametrize("next_node", ["webhook", "wait"])
def test_after_a_loop_glific_neither_calls_nor_waits(webhook: WebhookStandIn, next_node: str) -> None:
    other = webhook_node("next", webhook.url) if next_node == "webhook" else wait_node("next", "wait_for_time", "60")
    other["exits"][0]["destination_uuid"] = "wait"
    conversation = start(with_exit_loop(other))
    for number in range(5):
        conversation.send_text(str(number))
        conversation.advance_clock(120)
    assert conversation.is_stuck
    assert len(webhook.requests) == (4 if next_node == "webhook" else 0)


def test_the_same_picture_without_text_five_times_is_a_loop() -> None:
    picture = make_action("send_msg", text="", attachments=["image:https://example.org/a.jpg"])
    conversation = start(export(reply_node("wait", "say"), action_node("say", picture, then="wait")))
    for number in range(5):
        conversation.send_text(str(number))
    assert (len(conversation.messages), conversation.ended) == (4, True)


def test_after_a_loop_a_flow_can_enter_another_one() -> None:
    """The node with the sub-flow has a router, and its action is run."""
    enter = split_node("enter", {"Complete": None}, actions=(make_action("enter_flow", flow={"uuid": "B"}),))
    say = action_node("say", send_message("Sorry."), then="enter")
    ask = split_node("wait", {"All": "say"}, operand="@input.text", wait={"type": "msg"})
    enter["exits"][0]["destination_uuid"] = "wait"
    other = flow(action_node("hello", send_message("B, @results.parent.answer")), name="B", keyword="b")
    conversation = start(export_of(flow(ask, say, enter), other))
    for number in range(5):
        conversation.send_text(str(number))
    assert conversation.messages.count("Sorry.") == 4
    assert len(conversation.messages) == 9
    assert ProblemCode.ABORTED not in codes(conversation)


def test_five_different_pictures_without_text_are_no_loop() -> None:
    picture = make_action("send_msg", text="", attachments=["image:https://example.org/@results.answer.input.jpg"])
    conversation = start(export(reply_node("wait", "say"), action_node("say", picture, then="wait")))
    for number in range(5):
        conversation.send_text(str(number))
    assert (len(conversation.messages), conversation.problems) == (5, [])


def test_different_texts_of_one_node_do_not_end_the_flow() -> None:
    conversation = start(repeating("Sorry, @results.answer.input"))
    for number in range(10):
        conversation.send_text(str(number))
    assert (len(conversation.messages), conversation.problems) == (10, [])


def test_a_text_may_be_repeated_after_six_hours() -> None:
    conversation = start(repeating("Sorry."))
    for _ in range(4):
        conversation.send_text("again")
    conversation.advance_clock(6 * 3600 + 1)
    conversation.send_text("again")
    assert (len(conversation.messages), conversation.problems) == (5, [])


def test_a_cycle_without_a_wait_is_ended() -> None:
    conversation = start(
        export(action_node("a", set_result("n", "1"), then="b"), action_node("b", set_result("m", "1"), then="a"))
    )
    assert (conversation.ended, codes(conversation)) == (True, [ProblemCode.ABORTED])


@pytest.mark.parametrize(
    ("text", "problems"),
    [("x" * 4095, []), ("x" * 4096, [ProblemCode.TOO_LONG]), ("कि" * 4095, []), ("कि" * 4096, [ProblemCode.TOO_LONG])],
)
def test_a_message_of_4096_characters_is_refused_and_ends_the_flow(text: str, problems: list[ProblemCode]) -> None:
    """A letter and its vowel sign are one character for Glific."""
    conversation = start(export(action_node("say", send_message(text), then="wait"), reply_node("wait")))
    assert (codes(conversation), bool(conversation.messages)) == (problems, not problems)
    assert conversation.ended is bool(problems)


def test_a_message_without_text_ends_the_flow_unless_a_picture_comes_with_it() -> None:
    picture = make_action("send_msg", text="", attachments=["image:https://example.org/a.jpg"])
    conversation = start(export(action_node("say", picture, send_message(" "))))
    assert (conversation.messages, codes(conversation)) == ([""], [ProblemCode.EMPTY_MESSAGE])
    assert conversation.ended
    assert "image:https://example.org/a.jpg" in conversation.transcript()


@pytest.mark.parametrize(
    "text", ["उत्तर: @results.gpt.parsed_msg।", "@contact.nameजी, नमस्ते", "@contact.name’s", "@flow.id😀"]
)
def test_a_variable_directly_before_a_letter_outside_ascii_is_a_problem(text: str) -> None:
    conversation = start(export(action_node("say", send_message(text))))
    assert conversation.messages == [text]
    (problem,) = conversation.problems
    assert problem.code is ProblemCode.LITERAL_VARIABLE
    assert "Put a blank behind @" in problem.says


def test_a_variable_that_only_glific_knows_is_noted() -> None:
    conversation = start(export(action_node("say", send_message("Call @global.helpline on @calendar.current_day"))))
    assert conversation.problems == []
    assert "does not know @global.helpline" in conversation.transcript()
    assert "@calendar" not in conversation.messages[0]


@pytest.mark.parametrize("answer", ["yes please", "हाँ"])
def test_an_address_that_servers_refuse_is_a_problem(webhook: WebhookStandIn, answer: str) -> None:
    nodes = (reply_node("question", "call"), webhook_node("call", webhook.url + "?q=@results.answer.input"))
    conversation = start(export(*nodes))
    conversation.send_text(answer)
    assert ProblemCode.INVALID_ADDRESS in codes(conversation)
    assert "Send the value in the body." in " ".join(conversation.transcript().split())


def test_an_unfilled_variable_in_a_message_is_a_problem() -> None:
    conversation = start(export(action_node("say", send_message("It is @results.gpt.parsed_msg, @contact.name"))))
    assert conversation.messages == ["It is @results.gpt.parsed_msg, Asha"]
    assert codes(conversation) == [ProblemCode.LITERAL_VARIABLE]


def test_a_failure_without_a_category_ends_the_flow(webhook: WebhookStandIn) -> None:
    webhook.always(json_reply({}, 500))
    call = webhook_node("call", webhook.url)["actions"]
    conversation = start(export(split_node("call", {"Success": None, "Bad": None}, actions=tuple(call))))
    assert (conversation.ended, codes(conversation)) == (True, [ProblemCode.ABORTED])
