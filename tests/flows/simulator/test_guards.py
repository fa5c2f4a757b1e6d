"""What Glific drops, ends or refuses, and what it never ends."""

from typing import Any

import pytest

from glific_gpt.flows.simulator import Conversation, TroubleCode
from tests.flows.simulator.building import act, asks, calls, does, export, keeps, says, splits
from tests.flows.simulator.webhook_stand_in import WebhookStandIn, gives


def chat(url: str) -> Any:
    """Asks and answers for ever; it counts, if only the address made use of it."""
    return export(
        does("begin", keeps("n", "0"), then="question"),
        asks("question", "count"),
        does("count", keeps("n", "<%= @results.n + 1 %>"), then="call"),
        calls("call", url, success="tell", failure="tell"),
        does("tell", says("@results.gpt.parsed_msg @results.n.input"), then="question"),
    )


def begun(export_: Any) -> Conversation:
    conversation = Conversation(export_, now=lambda: 1000.0)
    conversation.start()
    return conversation


def codes(conversation: Conversation) -> list[TroubleCode]:
    return [trouble.code for trouble in conversation.trouble]


def test_a_call_that_was_made_within_a_minute_is_dropped_and_the_conversation_hangs(webhook: WebhookStandIn) -> None:
    conversation = begun(chat(webhook.url))
    conversation.say("one")
    conversation.pass_time(59)
    conversation.say("two")
    assert (conversation.hangs, conversation.waits_for, codes(conversation)) == (True, None, [TroubleCode.HANGS])
    conversation.say("three")
    conversation.pass_time(10_000)
    assert (len(webhook.requests), conversation.messages) == (1, ["Salt. 1"])


def test_a_minute_later_it_is_another_call(webhook: WebhookStandIn) -> None:
    conversation = begun(chat(webhook.url))
    conversation.say("one")
    conversation.pass_time(60)
    conversation.say("two")
    assert (conversation.messages, conversation.trouble) == (["Salt. 1", "Salt. 2"], [])


def test_a_keyword_makes_it_another_conversation(webhook: WebhookStandIn) -> None:
    conversation = begun(chat(webhook.url))
    conversation.say("one")
    conversation.say("two")
    conversation.say("ask")
    conversation.say("two")
    assert conversation.messages == ["Salt. 1", "Salt. 1"]


def test_a_counter_in_the_address_makes_it_another_call(webhook: WebhookStandIn) -> None:
    conversation = begun(chat(webhook.url + "?n=@results.n.input"))
    for question in ("one", "two", "three", "four", "five"):
        conversation.say(question)
    assert [request.path for request in webhook.requests] == [f"/ask?n={n}" for n in range(1, 6)]
    assert conversation.trouble == []


@pytest.mark.parametrize("body", ["not JSON", '{"n": @results.n}', "[1]", "NaN", '{"n": NaN}', "[" * 5000])
def test_a_body_that_is_no_json_object_hangs(webhook: WebhookStandIn, body: str) -> None:
    conversation = begun(export(calls("call", webhook.url, body=body)))
    assert (conversation.hangs, codes(conversation)) == (True, [TroubleCode.HANGS])
    assert webhook.requests == []


@pytest.mark.parametrize("method", ["PATCH", "PUT", ""])
def test_a_method_that_glific_does_not_know_hangs(webhook: WebhookStandIn, method: str) -> None:
    conversation = begun(export(calls("call", webhook.url, method=method)))
    assert (conversation.hangs, webhook.requests) == (True, [])


def test_a_flow_that_calls_for_ever_is_stopped(webhook: WebhookStandIn) -> None:
    webhook.always(gives({}, 500))
    count, call = chat(webhook.url + "?n=@results.n")["flows"][0]["definition"]["nodes"][2:4]
    conversation = begun(export(does("begin", keeps("n", "0"), then="count"), count, again(call)))
    assert (conversation.hangs, codes(conversation)) == (True, [TroubleCode.HANGS])
    assert len(webhook.requests) == 20


def again(call: dict[str, Any]) -> dict[str, Any]:
    """Whose failure leads back to it."""
    call["exits"][1]["destination_uuid"] = "count"
    return call


def repeating(text: str) -> Any:
    return export(asks("wait", "say"), does("say", says(text), then="wait"))


def test_the_same_text_of_one_node_a_fourth_time_ends_it() -> None:
    conversation = begun(repeating("Sorry."))
    for number in range(4):
        conversation.say(str(number))
    assert (conversation.messages, conversation.ended) == (["Sorry."] * 3, True)
    assert codes(conversation) == [TroubleCode.ABORTED]


def test_other_texts_of_one_node_do_not() -> None:
    conversation = begun(repeating("Sorry, @results.answer.input"))
    for number in range(10):
        conversation.say(str(number))
    assert (len(conversation.messages), conversation.trouble) == (10, [])


def test_six_hours_later_it_may_be_said_again() -> None:
    conversation = begun(repeating("Sorry."))
    for _ in range(3):
        conversation.say("again")
    conversation.pass_time(6 * 3600)
    conversation.say("again")
    assert (len(conversation.messages), conversation.trouble) == (4, [])


def test_a_flow_that_goes_round_without_waiting_is_ended() -> None:
    conversation = begun(export(does("a", keeps("n", "1"), then="b"), does("b", keeps("m", "1"), then="a")))
    assert (conversation.ended, codes(conversation)) == (True, [TroubleCode.ABORTED])


@pytest.mark.parametrize(("length", "trouble"), [(4096, []), (4097, [TroubleCode.TOO_LONG])])
def test_a_message_that_is_too_long_is_refused(length: int, trouble: list[TroubleCode]) -> None:
    conversation = begun(export(does("say", says("x" * length))))
    assert (codes(conversation), bool(conversation.messages)) == (trouble, not trouble)


def test_a_message_without_text_is_refused_unless_a_picture_comes_with_it() -> None:
    picture = act("send_msg", text="", attachments=["image:https://example.org/a.jpg"])
    conversation = begun(export(does("say", says(" "), picture)))
    assert (conversation.messages, codes(conversation)) == ([""], [TroubleCode.EMPTY_MESSAGE])
    assert "image:https://example.org/a.jpg" in conversation.transcript()


def test_a_variable_that_a_person_reads_is_trouble() -> None:
    conversation = begun(export(does("say", says("It is @results.gpt.parsed_msg, @contact.name"))))
    assert conversation.messages == ["It is @results.gpt.parsed_msg, Asha"]
    assert codes(conversation) == [TroubleCode.LITERAL_VARIABLE]


def test_a_failure_without_an_exit_ends_it(webhook: WebhookStandIn) -> None:
    webhook.always(gives({}, 500))
    call = calls("call", webhook.url)["actions"]
    conversation = begun(export(splits("call", {"Success": None, "Bad": None}, actions=tuple(call))))
    assert (conversation.ended, codes(conversation)) == (True, [TroubleCode.ABORTED])
