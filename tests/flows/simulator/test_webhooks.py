"""Webhook nodes: the request that is sent, and the result that is stored."""

import json
from typing import Any

import pytest
from pydantic import SecretStr

from glific_gpt.clock import now
from glific_gpt.flows.endpoint import is_url_of_server
from glific_gpt.flows.simulator import Contact, Conversation, GlificOrganization
from glific_gpt.glific.signature import is_valid
from glific_gpt.operations.ready_flows.http_sender import HttpSender
from tests.flows.simulator.conversations import simulate
from tests.flows.simulator.nodes import action_node, export, reply_node, send_message, webhook_node
from tests.flows.simulator.webhook_stand_in import WebhookStandIn, json_reply
from tests.support.openai_exchange import Behaviour, ReceivedRequest
from tests.support.openai_wire import (
    close_connection,
    never_respond,
    redirect,
    send_empty_body,
    send_html,
    truncate_body,
)

PHRASE = "a phrase that only Glific knows"


def flow(url: str, answer: str = "@results.gpt.parsed_msg", **call: Any) -> Any:
    """Return a flow that asks once, and sends the answer or the word failed."""
    return export(
        reply_node("question", "webhook"),
        webhook_node("webhook", url, success="answer", failure="failed", **call),
        action_node("answer", send_message(answer)),
        action_node("failed", send_message("failed")),
    )


def ask(url: str, question: str = "What is ORS?", **call: Any) -> Conversation:
    conversation = simulate(flow(url, **call), contact=Contact(fields={"age": {"value": "30"}}))
    conversation.start("ask")
    conversation.send_text(question)
    return conversation


def received(webhook: WebhookStandIn) -> ReceivedRequest:
    (request,) = webhook.requests
    return request


def test_it_fills_the_body_and_adds_the_organization(webhook: WebhookStandIn) -> None:
    body = {
        "question_text": "@results.answer.input",
        "contact": "@contact",
        "results": "@results",
        "flow_id": "@flow.id",
        "missing": "@results.nothing.input",
        "deep": {"contact": "@contact", "name": "@contact.name"},
        "temperature": 0.2,
    }
    ask(webhook.url, 'Say "hi"\nand <%= 1 %>', body=body)
    sent = received(webhook).body
    assert sent["question_text"] == 'Say "hi"\nand <%= 1 %>'
    assert sent["contact"] == {"id": 21, "name": "Asha", "phone": "919876543210", "fields": {"age": {"value": "30"}}}
    assert sent["results"]["answer"]["input"] == sent["question_text"]
    assert sent["results"]["flow_keyword"]["input"] == "ask"
    assert (sent["flow_id"], sent["organization_id"], sent["temperature"]) == ("5", 1, 0.2)
    assert sent["missing"] == "@results.nothing.input"
    assert sent["deep"] == {"contact": "@contact", "name": "Asha"}


def test_an_empty_body_is_an_empty_object(webhook: WebhookStandIn) -> None:
    ask(webhook.url, body="")
    assert received(webhook).body == {}


def test_it_signs_the_raw_body_with_the_organizations_phrase(webhook: WebhookStandIn) -> None:
    conversation = simulate(flow(webhook.url), organization=GlificOrganization(17, SecretStr(PHRASE)))
    conversation.start()
    conversation.send_text("नमस्ते")
    request = received(webhook)
    raw = json.dumps(request.body, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    assert is_valid(request.headers["x-glific-signature"], PHRASE, raw, now())


def test_it_sends_only_the_nodes_headers(webhook: WebhookStandIn) -> None:
    ask(webhook.url, headers={"Authorization": "Bearer abc", "X-Name": "@contact.name"})
    headers = received(webhook).headers
    assert {"authorization": "Bearer abc", "x-name": "Asha", "content-type": "application/octet-stream"}.items() <= (
        headers.items()
    )
    assert headers.keys() <= {
        *("authorization", "x-name", "content-type", "x-glific-signature", "host", "content-length"),
    }


def test_a_get_request_has_the_body_as_query(webhook: WebhookStandIn) -> None:
    ask(webhook.url, method="GET")
    request = received(webhook)
    assert (request.method, request.path) == ("GET", "/ask?question_text=What+is+ORS%3F&organization_id=1")


@pytest.mark.parametrize(
    ("answer", "variable", "said"),
    [
        ({"parsed_msg": "Salt."}, "@results.gpt.parsed_msg", "Salt."),
        ({"success": False, "parsed_msg": "Sorry."}, "@results.gpt.parsed_msg", "Sorry."),
        (["a", {"name": "b"}], "@results.gpt.1.name", "b"),
        ({"items": [{"name": "sugar"}]}, "@results.gpt.items.0.name", "sugar"),
    ],
)
def test_a_successful_response_is_stored(webhook: WebhookStandIn, answer: Any, variable: str, said: str) -> None:
    webhook.always(json_reply(answer, 201))
    conversation = ask_and_answer(webhook.url, variable)
    assert conversation.messages == [said]
    assert [(call.status, call.outcome, call.error) for call in conversation.calls] == [(201, "Success", "")]


def ask_and_answer(url: str, variable: str) -> Conversation:
    conversation = simulate(flow(url, variable))
    conversation.start()
    conversation.send_text("What is ORS?")
    return conversation


@pytest.mark.parametrize(
    ("behaviour", "status", "error"),
    [
        (json_reply({"error": "no credit"}, 402), 402, '200..299 status code: {"error": "no credit"}'),
        (json_reply("a text"), 200, "Could not decode"),
        (send_html(), 200, "Could not decode"),
        (send_empty_body(), 200, "Could not decode"),
        (redirect("http://127.0.0.1:9/"), 302, "200..299"),
        (close_connection(), None, "broke off"),
        (truncate_body(), None, "broke off"),
    ],
)
def test_any_other_response_is_a_failure(
    webhook: WebhookStandIn, behaviour: Behaviour, status: int | None, error: str
) -> None:
    webhook.always(behaviour)
    conversation = ask(webhook.url)
    (call,) = conversation.calls
    assert (call.status, call.outcome) == (status, "Failure")
    assert error in call.error
    assert conversation.messages == ["failed"]
    assert (conversation.ended, conversation.problems) == (True, [])


def test_it_times_out_after_five_seconds(webhook: WebhookStandIn) -> None:
    webhook.always(never_respond())
    (call,) = ask(webhook.url).calls
    assert (call.outcome, call.error) == ("Failure", ":timeout")
    assert 4.9 < call.seconds < 6


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/", "no address", "ftp://127.0.0.1/", "http://[", "", "http://a\nb/"]
)
def test_an_unreachable_address_is_a_failure(url: str) -> None:
    assert ask(url).messages == ["failed"]


def test_an_invalid_header_is_a_failure(webhook: WebhookStandIn) -> None:
    conversation = ask(webhook.url, headers={"X-Question": "@results.answer.input"}, question="two\nlines ₹")
    assert conversation.messages == ["failed"]


def test_it_calls_only_allowed_addresses(webhook: WebhookStandIn) -> None:
    sender = HttpSender(address_policy=lambda _host, _address: False)
    conversation = Conversation(flow(webhook.url), send=sender)
    conversation.start()
    conversation.send_text("What is ORS?")
    assert "private network" in conversation.calls[0].error
    assert webhook.requests == []


def test_glifics_own_functions_are_not_simulated() -> None:
    conversation = ask("parse_via_chat_gpt", method="FUNCTION")
    assert (conversation.messages, conversation.calls) == (["failed"], [])
    assert "parse_via_chat_gpt is not simulated" in conversation.transcript()


def test_credentials_are_not_in_the_transcript(webhook: WebhookStandIn) -> None:
    webhook.always(json_reply({"error": "no"}, 401))
    conversation = ask(webhook.url, headers={"Authorization": "Bearer abc-secret"})
    assert "abc-secret" not in repr((conversation.lines, conversation.calls, conversation.problems))
    assert "abc-secret" not in conversation.transcript()


@pytest.mark.parametrize(
    ("url", "is_own"),
    [
        ("https://gpt.example.org/webhooks/alice/f?n=1", True),
        ("https://GPT.example.org:443/webhooks/alice/f", True),
        ("http://gpt.example.org/webhooks/alice/f", False),
        ("https://gpt.example.org:8443/webhooks", False),
        ("https://gpt.example.org.evil.example/webhooks", False),
        ("https://gpt.example.org@evil.example/webhooks", False),
        ("https://evil.example/https://gpt.example.org/", False),
        ("parse_via_chat_gpt", False),
        ("https://[", False),
    ],
)
def test_a_url_belongs_to_a_server_by_scheme_host_and_port(url: str, is_own: bool) -> None:
    assert is_url_of_server(url, "https://gpt.example.org") is is_own
