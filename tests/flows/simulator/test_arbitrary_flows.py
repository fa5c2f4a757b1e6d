"""Any file and any replies lead to a conversation or to a problem, never to an error."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glific_gpt.flows.simulator import Conversation
from tests.flows.simulator.conversations import simulate
from tests.flows.simulator.strategies import anything, events, flows
from tests.flows.simulator.webhook_stand_in import WebhookStandIn
from tests.support.openai_exchange import Exchange

quickly = settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def webhook() -> Iterator[WebhookStandIn]:
    with WebhookStandIn() as stand_in:
        stand_in.always(echo_body)
        yield stand_in


def echo_body(exchange: Exchange) -> None:
    """Reply with the request's body."""
    exchange.send_json(200, exchange.received.body)


def run_events(conversation: Conversation, everything: list[tuple[str, Any]]) -> None:
    conversation.start()
    for name, argument in everything:
        if name == "resume":
            conversation.resume(argument, contact_id=21, flow_id=5)
        else:
            getattr(conversation, name)(argument)


@quickly
@given(data=st.data(), everything=st.lists(events, max_size=6))
def test_any_flow_reaches_a_defined_state(
    data: st.DataObject, everything: list[tuple[str, Any]], webhook: WebhookStandIn
) -> None:
    conversation = simulate(data.draw(flows(webhook.url)))
    run_events(conversation, everything)
    conversation.advance_clock(1)
    waits = conversation.waits_for is not None or not conversation.wait_until_settled(0)
    assert [conversation.ended, conversation.is_stuck, waits].count(True) == 1
    assert all(problem.says for problem in conversation.problems)
    assert "\x1b" not in conversation.transcript()


@quickly
@given(anything, st.text(max_size=20))
def test_a_file_that_is_not_an_export_is_a_problem(export: Any, reply: str) -> None:
    conversation = simulate(export)
    conversation.start()
    conversation.send_text(reply)
    assert conversation.messages == []
    assert conversation.problems
