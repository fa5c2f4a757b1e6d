"""A converted flow that asks about a picture, against the real server."""

import json

import pytest
from pydantic import SecretStr

from glific_gpt.flows.converting import convert
from glific_gpt.flows.endpoint import WebhookEndpoint
from tests.flows import exports
from tests.flows.exports import message_node, reply_node, webhook_node
from tests.flows.simulator.conversations import simulate
from tests.support.openai_behaviours import answer
from tests.support.openai_pictures import find_pictures
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization

PICTURE = "https://media.example.org/field.jpg"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_contact_gets_the_answer_that_the_flow_reads_under_response(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.always(answer("A **field** of millet."))
    body = json.dumps({"url": "@results.picture.input", "prompt": "What is it?", "model": "gpt-4o"})
    nodes = [
        message_node("ask", "Send a picture.", "hear"),
        reply_node("hear", "picture", "gpt"),
        webhook_node("gpt", "answer", "sorry", body=body, url="parse_via_gpt_vision"),
        message_node("answer", "@results.gpt_response.response", None),
        message_node("sorry", "Sorry.", None),
    ]
    endpoint = WebhookEndpoint(alice.url, SecretStr(alice.token))
    conversation = simulate(convert(exports.export(exports.flow("Ask", nodes, "ask")), endpoint).export)
    conversation.start("ask")
    conversation.send_text(PICTURE)
    assert conversation.messages[-1] == "A *field* of millet."
    assert find_pictures(openai.requests[0]) == [PICTURE]
