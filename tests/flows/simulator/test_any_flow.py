"""Whatever file it is given and whatever people reply: a conversation is had, or its trouble is said."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glific_gpt.flows.simulator import Conversation
from tests.flows.simulator.any_flow import anything, deeds, flows
from tests.flows.simulator.webhook_stand_in import WebhookStandIn
from tests.support.openai_exchange import Exchange

quickly = settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def webhook() -> Iterator[WebhookStandIn]:
    with WebhookStandIn() as stand_in:
        stand_in.always(repeat)
        yield stand_in


def repeat(exchange: Exchange) -> None:
    """Answers what it was sent."""
    exchange.send_json(200, exchange.received.body)


def have(conversation: Conversation, everything: list[tuple[str, Any]]) -> None:
    conversation.start()
    for name, told in everything:
        if name == "resume":
            conversation.resume(told, contact_id=21, flow_id=5)
        else:
            getattr(conversation, name)(told)


@quickly
@given(data=st.data(), everything=st.lists(deeds, max_size=6))
def test_any_flow_comes_to_a_state_that_can_be_told(
    data: st.DataObject, everything: list[tuple[str, Any]], webhook: WebhookStandIn
) -> None:
    conversation = Conversation(data.draw(flows(webhook.url)))
    have(conversation, everything)
    conversation.pass_time(1)
    waits = conversation.waits_for is not None or not conversation.settle(0)
    assert [conversation.ended, conversation.hangs, waits].count(True) == 1
    assert all(trouble.says for trouble in conversation.trouble)
    assert "\x1b" not in conversation.transcript()


@quickly
@given(anything, st.text(max_size=20))
def test_a_file_that_is_no_export_is_no_conversation(export: Any, reply: str) -> None:
    conversation = Conversation(export)
    conversation.start()
    conversation.say(reply)
    assert conversation.messages == []
    assert conversation.trouble
