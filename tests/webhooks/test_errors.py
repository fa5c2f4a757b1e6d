"""Every error code: its status, its class, all of its keys and the organization's fallback message."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from decimal import Decimal
from threading import Barrier
from typing import Any

import httpx2
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from glific_gpt.organizations.credentials import store as credentials
from glific_gpt.settings import FALLBACK_MESSAGE
from glific_gpt.vault import Vault
from tests.support import http
from tests.support import openai_behaviours as behaviours
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import ERROR_CODES, require_error, require_ok

FALLBACK = "माफ़ कीजिए, please call 1800."
BEFORE_AUTHENTICATION = {"unauthorized", "method_not_allowed"}
OTHER_ORGANIZATION = 1000
"""The first of many ids that no organization of these tests has."""
"""Errors before authentication, which have the fallback message of the server."""

Cause = Callable[[TestOrganization, OpenAIStandIn], httpx2.Response]


def with_body(**body: Any) -> Cause:
    return lambda organization, _openai: organization.post({"question_text": "What is ORS?", **body})


def with_settings(**settings: Any) -> Cause:
    def cause(organization: TestOrganization, _openai: OpenAIStandIn) -> httpx2.Response:
        organization.change(**settings)
        return organization.ask()

    return cause


def with_openai(behaviour: behaviours.Behaviour) -> Cause:
    def cause(organization: TestOrganization, openai: OpenAIStandIn) -> httpx2.Response:
        openai.always(behaviour)
        return organization.ask()

    return cause


def with_query(query: str, **body: Any) -> Cause:
    return lambda organization, _openai: organization.post({"question_text": "What is ORS?", **body}, query=query)


def _get(organization: TestOrganization, _openai: OpenAIStandIn) -> httpx2.Response:
    return http.get(organization.url, headers={"Authorization": f"Bearer {organization.token}"}, timeout=20)


def _ask_with_inactive_key(organization: TestOrganization, _openai: OpenAIStandIn) -> httpx2.Response:
    organization.switch_key(on=False)
    return organization.ask()


def _post_duplicate(organization: TestOrganization, openai: OpenAIStandIn) -> httpx2.Response:
    openai.always(behaviours.respond_after(0.6))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(organization.post, {"question_text": "a"}, headers={"Idempotency-Key": "k"})
        while not openai.requests:
            time.sleep(0.01)
        return organization.post({"question_text": "a"}, headers={"Idempotency-Key": "k"})


def _post_another_body(organization: TestOrganization, _openai: OpenAIStandIn) -> httpx2.Response:
    require_ok(organization.post({"question_text": "a"}, headers={"Idempotency-Key": "k"}))
    return organization.post({"question_text": "b"}, headers={"Idempotency-Key": "k"})


def _exceed_contact_limit(organization: TestOrganization, _openai: OpenAIStandIn) -> httpx2.Response:
    organization.change(contact_daily_limit=1)
    require_ok(organization.ask(contact={"id": 21}))
    return organization.ask(contact={"id": 21})


def _ask_with_unreadable_key(organization: TestOrganization, _openai: OpenAIStandIn) -> httpx2.Response:
    app = organization.server.services
    values = {"api_key": SecretStr(organization.key)}
    other = Vault([SecretStr(Fernet.generate_key().decode())])
    with organization.server.app.app_context():
        credentials.save_credential(other, organization.slug, app.model_provider, values, is_active=True, verify=False)
    return organization.ask()


def _ask_full_server(organization: TestOrganization, _openai: OpenAIStandIn) -> httpx2.Response:
    server = organization.server.services
    with ExitStack() as stack:
        for number in range(server.settings.max_in_flight):
            stack.enter_context(server.slots.hold(OTHER_ORGANIZATION + number))
        return organization.ask()


CAUSES: dict[str, Cause] = {
    "invalid_json": lambda organization, _: organization.post(content=b"{"),
    "unauthorized": lambda organization, _: organization.post({}, headers={"Authorization": "Bearer wrong"}),
    "insufficient_quota": with_openai(behaviours.out_of_credit()),
    "budget_exceeded": with_settings(monthly_budget_usd=Decimal(0)),
    "model_not_allowed": with_settings(allowed_models=[]),
    "organization_inactive": with_settings(is_active=False),
    "unknown_function": with_query("_of_mine"),
    "method_not_allowed": _get,
    "credential_missing": lambda organization, _: organization.server.add_organization(
        "keyless", key="", fallback_message=FALLBACK
    ).ask(),
    "credential_inactive": _ask_with_inactive_key,
    "call_in_progress": _post_duplicate,
    "body_too_large": lambda organization, _: organization.post(content=b" " * (1024 * 1024 + 1)),
    "idempotency_mismatch": _post_another_body,
    "empty_question": with_body(question_text=""),
    "invalid_field": with_body(temperature=9),
    "unresolved_variable": with_body(question_text="@results.question_1"),
    "model_not_text": with_body(gpt_model="tts-1"),
    "model_not_supported": with_body(gpt_model="davinci-002"),
    "model_not_found": with_openai(behaviours.unknown_model()),
    "glific_not_connected": with_query("?mode=async", contact={"id": 21}, flow_id="5"),
    "missing_flow_context": with_query("?mode=auto", contact={"id": 21}),
    "rate_limited": with_openai(behaviours.rate_limit("30")),
    "contact_limit": _exceed_contact_limit,
    "invalid_api_key": with_openai(behaviours.refuse_key()),
    "wrong_region": with_openai(behaviours.wrong_region()),
    "upstream_error": with_openai(behaviours.server_error(503)),
    "bad_upstream_reply": with_openai(behaviours.wrong_shape()),
    "empty_answer": with_openai(behaviours.empty()),
    "refused": with_openai(behaviours.refusal()),
    "overloaded": _ask_full_server,
    "not_ready": _ask_with_unreadable_key,
    "deadline_exceeded": with_openai(behaviours.never_respond()),
}


def test_every_error_code_is_tested() -> None:
    assert CAUSES.keys() == ERROR_CODES.keys()


@pytest.mark.parametrize("code", ERROR_CODES)
def test_each_error_has_the_documented_shape(
    start_server: Callable[..., RunningServer], openai: OpenAIStandIn, code: str
) -> None:
    deadline = 0.8 if code == "deadline_exceeded" else 4.5
    server = start_server(deadline_seconds=deadline, max_in_flight=5)
    alice = server.add_organization("alice", fallback_message=FALLBACK)

    reply = CAUSES[code](alice, openai)

    body = require_error(reply, code, FALLBACK_MESSAGE if code in BEFORE_AUTHENTICATION else FALLBACK)
    assert alice.key not in reply.text
    assert alice.token not in reply.text
    assert reply.headers["Cache-Control"] == "no-store"
    assert body["error"][0].isupper() or body["error"][0].islower()


def test_the_servers_fallback_message_is_the_default(alice: TestOrganization) -> None:
    require_error(alice.ask(""), "empty_question", FALLBACK_MESSAGE)


def test_expressions_in_a_fallback_message_are_neutralised(alice: TestOrganization) -> None:
    alice.change(fallback_message="Sorry @contact.name <%= 1 %>")
    message = alice.ask("").json()["parsed_msg"]
    assert "@contact.name" not in message
    assert "<%" not in message
    assert message.replace("\u200b", "") == "Sorry @contact.name <%= 1 %>"


def test_every_reply_has_its_own_call_id(alice: TestOrganization) -> None:
    start = Barrier(5)

    def ask(question: str) -> str:
        start.wait()
        return str(alice.ask(question).json()["call_id"])

    with ThreadPoolExecutor(5) as pool:
        call_ids = list(pool.map(ask, ["", "", "Hi", "Hi", "@results.x"]))
    assert len(set(call_ids)) == 5
