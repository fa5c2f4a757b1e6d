"""Authentication by a webhook token. The reply does not reveal why a caller is unauthorized."""

from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from glific_gpt.database import transaction
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations import tokens
from tests.support import http
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import require_error, require_ok

UNKNOWN_SLUGS = (
    "unknown",
    "ALICE",
    "Alice",
    " alice",
    "alice ",
    "alice\n",
    "alice\x00",
    "alice'--",
    "alice;",
    "alice.",
    "al_ce",
    "%alice%",
    "*",
    "-",
    "a" * 63,
    "a" * 64,
    "a" * 5000,
    "अलिस",
    "🌾",
    "..\\alice",
)


def post_to(server: RunningServer, slug: str, headers: dict[str, str]) -> httpx2.Response:
    url = f"{server.url}/webhooks/{quote(slug, safe='')}/parse_via_chat_gpt"
    return http.post(url, json={"question_text": "What is ORS?"}, headers=headers, timeout=20)


def get_visible_parts(reply: httpx2.Response) -> tuple[int, dict[str, Any], set[str]]:
    """Return the parts of an unauthorized reply that do not differ with every call."""
    body = require_error(reply, "unauthorized")
    return reply.status_code, {key: body[key] for key in body.keys() - {"call_id"}}, set(reply.headers)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_the_bearer_scheme_is_case_insensitive(alice: TestOrganization, scheme: str) -> None:
    require_ok(alice.post({"question_text": "Hi"}, headers={"Authorization": f"{scheme} {alice.token}"}))


def test_every_unauthorized_caller_gets_the_same_reply(
    alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn
) -> None:
    alice.change(fallback_message="Please call 1800.")
    with alice.server.app.app_context(), transaction() as session:
        _, api_token = tokens.create_api_token(session, "an API token", organizations.find(session, "alice"))
    authorizations = [
        "",
        "Bearer",
        "Bearer wrong",
        f"Bearer {bob.token}",
        f"Bearer {api_token}",
        f"Bearer {alice.key}",
        f"Bearer {alice.token}x",
        f"Bearer {alice.token[:-1]}",
        f"Bearer {alice.token.upper()}",
        f"Bearer {alice.token} {alice.token}",
        f"Basic {alice.token}",
        f"Token {alice.token}",
        alice.token,
        "Bearer " + "x" * 10_000,
    ]
    replies = [post_to(alice.server, "alice", {"Authorization": value}) for value in authorizations]
    replies.append(post_to(alice.server, "alice", {}))
    first, *others = [get_visible_parts(reply) for reply in replies]
    assert [other for other in others if other != first] == []
    call_ids = [reply.json()["call_id"] for reply in replies]
    assert len(set(call_ids)) == len(call_ids)
    assert openai.requests == []
    assert alice.calls() == bob.calls() == []


def test_an_unknown_organization_looks_like_a_wrong_token(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    known = get_visible_parts(post_to(alice.server, "alice", {"Authorization": "Bearer wrong"}))
    token, signature = {"Authorization": f"Bearer {alice.token}"}, {"X-Glific-Signature": "t=1,v1=" + "0" * 64}
    differences = {
        (slug, tuple(headers)): reply.text
        for slug in UNKNOWN_SLUGS
        for headers in (token, signature, {})
        if get_visible_parts(reply := post_to(alice.server, slug, headers)) != known
    }
    assert differences == {}
    assert openai.requests == []


@pytest.mark.parametrize("size", ["small", "too large"])
def test_the_size_of_a_body_does_not_reveal_an_organization(alice: TestOrganization, size: str) -> None:
    alice.set_phrase("a phrase that only Glific knows")
    content = b" " * (10 if size == "small" else 2_000_000)
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"X-Glific-Signature": "t=1,v1=" + "0" * 64}):
        known, unknown = (
            http.post(alice.url.replace("alice", slug), content=content, headers=headers, timeout=20)
            for slug in ("alice", "unknown")
        )
        assert (known.status_code, known.json()["error_code"]) == (unknown.status_code, unknown.json()["error_code"])
        if "X-Glific-Signature" not in headers or size == "small":
            require_error(known, "unauthorized")


def test_each_token_is_accepted_until_it_is_revoked(alice: TestOrganization, bob: TestOrganization) -> None:
    with alice.server.app.app_context(), transaction() as session:
        row, second = tokens.create_webhook_token(session, organizations.find(session, "alice"), "second")
    authorization = {"Authorization": f"Bearer {second}"}
    require_ok(alice.post({"question_text": "Hi"}, headers=authorization))
    require_ok(alice.ask())

    with alice.server.app.app_context(), transaction() as session:
        tokens.revoke_webhook_token(session, organizations.find(session, "alice"), row.id)

    require_error(alice.post({"question_text": "Hi"}, headers=authorization), "unauthorized")
    require_ok(alice.ask())
    require_ok(bob.ask())


@pytest.mark.parametrize("sent", [7, "7", " 7 "])
def test_a_body_with_the_same_organization_id_is_accepted(alice: TestOrganization, sent: object) -> None:
    alice.change(glific_organization_id=7)
    require_ok(alice.ask(organization_id=sent))


def test_a_body_with_another_organization_id_is_unauthorized(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.change(glific_organization_id=7, fallback_message="Please call 1800.")
    unauthorized = get_visible_parts(post_to(alice.server, "alice", {}))
    others: tuple[Any, ...] = (8, "8", 70, "07x", "seven", None, "", True, 7.5, [7], {"id": 7}, -7, "@flow.id", 10**30)
    for sent in others:
        assert get_visible_parts(alice.ask(organization_id=sent)) == unauthorized, sent
    assert get_visible_parts(alice.ask()) == unauthorized
    assert openai.requests == []


def test_any_organization_id_is_accepted_if_none_is_set(alice: TestOrganization) -> None:
    organization_ids: tuple[Any, ...] = (1, "1", None, "x", [], 10**30)
    for sent in organization_ids:
        require_ok(alice.ask(organization_id=sent))
