"""Flows that wait: for a reply, for some time, for a result."""

from typing import Any

import pytest

from glific_gpt.flows.simulator import Contact, Conversation
from tests.flows.simulator.building import asks, calls, does, export, says, splits, waits
from tests.flows.simulator.webhook_stand_in import WebhookStandIn, gives


def for_a_result(then: str = "tell", *more: Any) -> Any:
    return export(waits("wait", "wait_for_result", "120", then), does("tell", says("@results.gpt.parsed_msg")), *more)


def begun(export_: Any, **more: Any) -> Conversation:
    conversation = Conversation(export_, now=lambda: 1000.0, **more)
    conversation.start()
    return conversation


def test_a_result_lets_it_go_on() -> None:
    conversation = begun(for_a_result())
    assert conversation.waits_for == "result"
    assert conversation.resume({"gpt": {"parsed_msg": "Salt."}}, contact_id=21, flow_id=5) is None
    assert (conversation.messages, conversation.ended) == (["Salt."], True)


@pytest.mark.parametrize(("contact", "flow"), [(22, 5), (21, 6)])
def test_a_result_for_somebody_else_is_refused_in_glifics_words(contact: int, flow: int) -> None:
    conversation = begun(for_a_result(), contact=Contact(id=21))
    refusal = f"{contact} does not have any active flows awaiting results."
    assert conversation.resume({}, contact_id=contact, flow_id=flow) == refusal
    assert conversation.waits_for == "result"


def test_a_second_result_is_refused() -> None:
    conversation = begun(for_a_result())
    answers = [conversation.resume({"gpt": {"parsed_msg": "Salt."}}, contact_id=21, flow_id=5) for _ in range(2)]
    assert answers == [None, "21 does not have any active flows awaiting results."]


def test_a_wait_that_runs_out_goes_on_with_nothing_stored() -> None:
    conversation = begun(for_a_result())
    conversation.pass_time(119)
    assert conversation.messages == []
    conversation.pass_time(1)
    assert conversation.messages == ["@results.gpt.parsed_msg"]
    assert conversation.resume({}, contact_id=21, flow_id=5) is not None


def test_what_is_written_meanwhile_is_lost() -> None:
    conversation = begun(for_a_result())
    conversation.say("Are you there?")
    assert (conversation.waits_for, conversation.messages) == ("result", [])
    assert "this message is lost" in conversation.transcript()


@pytest.mark.parametrize("delay", ["0", "-5", "", "soon"])
def test_a_wait_without_seconds_does_not_wait(delay: str) -> None:
    conversation = begun(export(waits("wait", "wait_for_result", delay, "tell"), does("tell", says("Went on"))))
    assert conversation.messages == ["Went on"]


def test_time_lets_one_wait_after_another_run_out() -> None:
    nodes = [waits(str(at), "wait_for_time", "60", str(at + 1)) for at in range(3)]
    conversation = begun(export(*nodes, does("3", says("Went on"))))
    assert conversation.waits_for == "time"
    conversation.pass_time(179)
    assert conversation.messages == []
    conversation.pass_time(1)
    assert conversation.messages == ["Went on"]


def test_a_flow_that_wakes_itself_for_ever_is_left_alone() -> None:
    conversation = begun(export(waits("wait", "wait_for_time", "1", "wait")))
    conversation.pass_time(10**9)
    assert conversation.waits_for == "time"


@pytest.mark.parametrize("seconds", [300, "300"])
def test_nobody_replies_in_time(seconds: object) -> None:
    wait: dict[str, Any] = {"wait": {"type": "msg", "timeout": {"seconds": seconds}}}
    ways: dict[str, str | None] = {"No Response": "tell", "Other": None}
    conversation = begun(export(splits("wait", ways, **wait), does("tell", says("Hello?"))))
    conversation.pass_time(299)
    assert conversation.messages == []
    conversation.pass_time(1)
    assert conversation.messages == ["Hello?"]


def test_nobody_is_resumed_while_a_webhook_is_being_called(webhook: WebhookStandIn) -> None:
    refusals = []
    conversation = Conversation(
        export(
            asks("question", "call"), calls("call", webhook.url, success="wait"), waits("wait", "wait_for_result", "9")
        )
    )

    def resume_too_early(exchange: Any) -> None:
        refusals.append(conversation.resume({}, contact_id=21, flow_id=5))
        gives({"status": "pending"})(exchange)

    webhook.always(resume_too_early)
    conversation.start()
    conversation.say("What is ORS?")
    assert refusals == ["21 does not have any active flows awaiting results."]
    assert conversation.waits_for == "result"


def test_who_resumes_does_not_wait_for_the_webhook_that_comes_next(webhook: WebhookStandIn) -> None:
    call = calls("tell", webhook.url, success="thank", body="{}")
    conversation = begun(
        export(waits("wait", "wait_for_result", "120", "tell"), call, does("thank", says("@results.gpt.parsed_msg")))
    )
    assert conversation.resume({}, contact_id=21, flow_id=5) is None
    assert conversation.settle(5)
    assert conversation.messages == ["Salt."]


def test_settling_takes_no_longer_than_it_is_given() -> None:
    conversation = begun(for_a_result())
    assert not conversation.settle(0.01)
