"""Flows that wait for a reply, a time or a result."""

from typing import Any

import pytest

from glific_gpt.flows.simulator import Contact, Conversation
from tests.flows.simulator.conversations import simulate
from tests.flows.simulator.nodes import (
    action_node,
    export,
    reply_node,
    send_message,
    split_node,
    wait_node,
    webhook_node,
)
from tests.flows.simulator.webhook_stand_in import WebhookStandIn, json_reply

MINUTE = 60
"""Glific ends waits once a minute. The simulation assumes that they last as long as possible."""


def for_a_result(then: str = "tell", *more: Any) -> Any:
    return export(
        wait_node("wait", "wait_for_result", "120", then),
        action_node("tell", send_message("@results.gpt.parsed_msg")),
        *more,
    )


def start(flow_export: Any, **more: Any) -> Conversation:
    conversation = simulate(flow_export, now=lambda: 1000.0, **more)
    conversation.start()
    return conversation


def test_a_result_resumes_the_flow() -> None:
    conversation = start(for_a_result())
    assert conversation.waits_for == "result"
    assert conversation.resume({"gpt": {"parsed_msg": "Salt."}}, contact_id=21, flow_id=5) is None
    assert (conversation.messages, conversation.ended) == (["Salt."], True)


@pytest.mark.parametrize(("contact", "flow"), [(22, 5), (21, 6)])
def test_a_result_for_another_contact_or_flow_is_refused(contact: int, flow: int) -> None:
    conversation = start(for_a_result(), contact=Contact(id=21))
    refusal = f"{contact} does not have any active flows awaiting results."
    assert conversation.resume({}, contact_id=contact, flow_id=flow) == refusal
    assert conversation.waits_for == "result"


def test_a_second_result_is_refused() -> None:
    conversation = start(for_a_result())
    answers = [conversation.resume({"gpt": {"parsed_msg": "Salt."}}, contact_id=21, flow_id=5) for _ in range(2)]
    assert answers == [None, "21 does not have any active flows awaiting results."]


def test_a_timed_out_wait_stores_nothing() -> None:
    conversation = start(for_a_result())
    conversation.advance_clock(120 + MINUTE - 1)
    assert conversation.messages == []
    conversation.advance_clock(1)
    assert conversation.messages == ["@results.gpt.parsed_msg"]
    assert "up to a minute longer" in conversation.transcript()
    assert conversation.resume({}, contact_id=21, flow_id=5) is not None


def test_a_result_that_arrives_before_the_wait_ends_late_resumes_the_flow() -> None:
    conversation = start(for_a_result())
    conversation.advance_clock(120 + MINUTE / 2)
    assert conversation.resume({"gpt": {"parsed_msg": "Salt."}}, contact_id=21, flow_id=5) is None
    assert conversation.messages == ["Salt."]


def test_a_message_during_a_wait_is_lost() -> None:
    conversation = start(for_a_result())
    conversation.send_text("Are you there?")
    assert (conversation.waits_for, conversation.messages) == ("result", [])
    assert "this message is lost" in conversation.transcript()


@pytest.mark.parametrize("delay", ["0", "-5", "", "soon"])
def test_a_wait_without_seconds_does_not_wait(delay: str) -> None:
    conversation = start(
        export(wait_node("wait", "wait_for_result", delay, "tell"), action_node("tell", send_message("Went on")))
    )
    assert conversation.messages == ["Went on"]


def test_a_wait_without_seconds_takes_four_seconds() -> None:
    ways: dict[str, str | None] = {"No Response": "tell", "Other": None}
    timeout: dict[str, Any] = {"wait": {"type": "msg", "timeout": {"seconds": 60}}}
    nodes = (split_node("wait", ways, **timeout), action_node("tell", send_message("Hello?")))
    durations = []
    for first in ((), (wait_node("sleep", "wait_for_time", "0", "wait"),)):
        conversation = start(export(*first, *nodes))
        durations.append(conversation.seconds_left)
        assert conversation._clock.offset == 4 * len(first)
    assert durations == [60 + MINUTE] * 2


def test_the_clock_ends_one_wait_after_another() -> None:
    nodes = [wait_node(str(at), "wait_for_time", "60", str(at + 1)) for at in range(3)]
    conversation = start(export(*nodes, action_node("3", send_message("Went on"))))
    assert conversation.waits_for == "time"
    conversation.advance_clock(3 * (60 + MINUTE) - 1)
    assert conversation.messages == []
    conversation.advance_clock(1)
    assert conversation.messages == ["Went on"]


def test_an_endless_series_of_waits_is_limited() -> None:
    conversation = start(export(wait_node("wait", "wait_for_time", "1", "wait")))
    conversation.advance_clock(10**9)
    assert conversation.waits_for == "time"


@pytest.mark.parametrize("seconds", [300, "300"])
def test_a_missing_reply_follows_no_response(seconds: object) -> None:
    wait: dict[str, Any] = {"wait": {"type": "msg", "timeout": {"seconds": seconds}}}
    ways: dict[str, str | None] = {"No Response": "tell", "Other": None}
    conversation = start(export(split_node("wait", ways, **wait), action_node("tell", send_message("Hello?"))))
    conversation.advance_clock(300 + MINUTE - 1)
    assert conversation.messages == []
    conversation.advance_clock(1)
    assert conversation.messages == ["Hello?"]


def test_a_flow_cannot_be_resumed_during_a_webhook_call(webhook: WebhookStandIn) -> None:
    refusals = []
    conversation = simulate(
        export(
            reply_node("question", "call"),
            webhook_node("call", webhook.url, success="wait"),
            wait_node("wait", "wait_for_result", "9"),
        )
    )

    def resume_too_early(exchange: Any) -> None:
        refusals.append(conversation.resume({}, contact_id=21, flow_id=5))
        json_reply({"status": "pending"})(exchange)

    webhook.always(resume_too_early)
    conversation.start()
    conversation.send_text("What is ORS?")
    assert refusals == ["21 does not have any active flows awaiting results."]
    assert conversation.waits_for == "result"


def test_resume_does_not_block_on_the_next_webhook(webhook: WebhookStandIn) -> None:
    call = webhook_node("tell", webhook.url, success="thank", body="{}")
    conversation = start(
        export(
            wait_node("wait", "wait_for_result", "120", "tell"),
            call,
            action_node("thank", send_message("@results.gpt.parsed_msg")),
        )
    )
    assert conversation.resume({}, contact_id=21, flow_id=5) is None
    assert conversation.wait_until_settled(5)
    assert conversation.messages == ["Salt."]


def test_waiting_for_the_flow_has_a_timeout() -> None:
    conversation = start(for_a_result())
    assert not conversation.wait_until_settled(0.01)
