"""Converted flows that come back to their GPT node within a minute, in conversation with the real server."""

import pytest
from pydantic import SecretStr

from glific_gpt.flows.converting import convert
from glific_gpt.flows.simulator import Conversation
from glific_gpt.flows.webhook_auth import WayIn
from tests.flows import exports
from tests.flows.exports import Json, calls, hears, says
from tests.support import openai_behaviours as behaviours
from tests.support.house import Ngo
from tests.support.openai_stand_in import OpenAIStandIn

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

BODY = '{"question_text": "@results.question.input"}'


def held(alice: Ngo, *, sorry_to: str = "hear", result_name: str = "gpt_response") -> Conversation:
    """After two questions that failed, asked at once."""
    nodes: list[Json] = [
        says("ask", "What would you like to know?", "hear"),
        hears("hear", "question", "gpt"),
        calls("gpt", "answer", "sorry", body=BODY, result_name=result_name),
        says("answer", f"@results.{result_name}.parsed_msg", "hear"),
        says("sorry", "Sorry.", sorry_to),
    ]
    way_in = WayIn(alice.url, SecretStr(alice.token))
    conversation = Conversation(convert(exports.export(exports.flow("Ask", nodes, "ask")), way_in).export)
    conversation.start("ask")
    for question in ("What is ORS?", "What is ORS?"):
        conversation.say(question)
    return conversation


@pytest.mark.parametrize("result_name", ["gpt_response", "gpt answer"])
def test_after_a_failure_the_next_question_is_asked_within_a_minute(
    alice: Ngo, openai: OpenAIStandIn, result_name: str
) -> None:
    openai.always(behaviours.out_of_credit())
    conversation = held(alice, result_name=result_name)
    assert conversation.trouble == [], conversation.transcript()
    assert [call.outcome for call in conversation.calls] == ["Failure", "Failure"]
    assert conversation.messages[1:] == ["Sorry.", "Sorry."]
    assert conversation.waits_for == "reply"
    assert len({call.url for call in conversation.calls}) == 2


def test_where_nobody_writes_on_the_way_it_hangs_as_is_warned(alice: Ngo, openai: OpenAIStandIn) -> None:
    openai.always(behaviours.out_of_credit())
    conversation = held(alice, sorry_to="gpt")
    assert [trouble.code for trouble in conversation.trouble] == ["hangs"]
