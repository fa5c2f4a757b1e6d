"""The URL of a webhook: its method, its function and its mode."""

from itertools import product

import pytest

from tests.support import http
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization
from tests.webhooks.assertions import get_code, require_error, require_ok


@pytest.mark.parametrize("mode", ["async", "auto"])
def test_a_deferred_call_requires_flow_contact_and_connection(
    alice: TestOrganization, openai: OpenAIStandIn, mode: str
) -> None:
    for body in (
        {},
        {"contact": {"id": 21}},
        {"flow_id": "5"},
        {"contact": {}, "flow_id": "5"},
        {"contact": {"id": "@contact.id"}, "flow_id": "5"},
        {"contact": {"id": 21}, "flow_id": "@flow.id"},
        {"contact": "@contact", "flow_id": 5},
    ):
        require_error(alice.post({"question_text": "Hi", **body}, query=f"?mode={mode}"), "missing_flow_context")
    for context in ({"flow_id": "5", "contact_id": "21"}, {"flow_id": 5, "contact": {"id": 21}}):
        reply = alice.post({"question_text": "Hi", **context}, query=f"?mode={mode}&n=3")
        require_error(reply, "glific_not_connected")
    assert openai.requests == []


def test_an_unknown_mode_is_an_invalid_field(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    for query in ("?mode=", "?mode=later", "?mode=SYNC", "?mode=@results.mode"):
        assert "mode" in require_error(alice.post({"question_text": "Hi"}, query=query), "invalid_field")["error"]
    assert openai.requests == []


def test_other_query_parameters_and_a_trailing_slash_are_accepted(alice: TestOrganization) -> None:
    for query in ("?mode=sync", "?n=3", "?n=@results.n.input&mode=sync", "/", "/?n=1"):
        reply = alice.post({"question_text": "Hi"}, query=query)
        assert reply.history == []
        require_ok(reply)


def test_every_method_but_post_is_not_allowed(alice: TestOrganization) -> None:
    methods = ("GET", "PUT", "PATCH", "DELETE", "OPTIONS")
    for method, slug in product(methods, ("alice", "unknown")):
        reply = http.request(method, alice.url.replace("alice", slug), timeout=20)
        require_error(reply, "method_not_allowed")
        assert reply.headers["Allow"] == "POST"


def test_a_url_without_a_known_function_is_an_unknown_function(alice: TestOrganization) -> None:
    headers = {"Authorization": f"Bearer {alice.token}"}
    for path in ("", "/", "/parse_via_chat_gpt/more", "/parse_via_gpt", "/PARSE_VIA_CHAT_GPT", "/" + "x" * 500, "/%00"):
        url = f"{alice.server.url}/webhooks/alice{path}"
        reply = http.post(url, json={"question_text": "Hi"}, headers=headers, timeout=20)
        assert (path, get_code(reply)) == (path, "unknown_function")
    unauthorized = http.post(f"{alice.server.url}/webhooks/alice/nothing", json={}, timeout=20)
    require_error(unauthorized, "unauthorized")
