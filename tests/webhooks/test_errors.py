"""Every error code of the contract: its status, its class, all of its keys, the organization's fallback text."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any

import httpx2
import pytest

from glific_gpt.settings import FALLBACK_MESSAGE
from tests.support import openai_behaviours as behaviours
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.expecting import CODES, require_error, require_ok

OWN_WORDS = "माफ़ कीजिए, please call 1800."
TO_STRANGERS = {"unauthorized", "method_not_allowed"}
"""Said before it is known who calls, so in the server's words."""

Provoke = Callable[[TestOrganization, OpenAIStandIn], httpx2.Response]


def by(**body: Any) -> Provoke:
    return lambda organization, _openai: organization.post({"question_text": "What is ORS?", **body})


def when(**settings: Any) -> Provoke:
    def provoke(organization: TestOrganization, _openai: OpenAIStandIn) -> httpx2.Response:
        organization.change(**settings)
        return organization.ask()

    return provoke


def if_openai(behaviour: behaviours.Behaviour) -> Provoke:
    def provoke(organization: TestOrganization, openai: OpenAIStandIn) -> httpx2.Response:
        openai.always(behaviour)
        return organization.ask()

    return provoke


def to(query: str, **body: Any) -> Provoke:
    return lambda organization, _openai: organization.post({"question_text": "What is ORS?", **body}, query=query)


def _method(organization: TestOrganization, _openai: OpenAIStandIn) -> httpx2.Response:
    return httpx2.get(organization.url, headers={"Authorization": f"Bearer {organization.token}"}, timeout=20)


def _key_off(organization: TestOrganization, _openai: OpenAIStandIn) -> httpx2.Response:
    organization.switch_key(on=False)
    return organization.ask()


def _twice(organization: TestOrganization, openai: OpenAIStandIn) -> httpx2.Response:
    openai.always(behaviours.slow(0.6))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(organization.post, {"question_text": "a"}, headers={"Idempotency-Key": "k"})
        while not openai.requests:
            time.sleep(0.01)
        return organization.post({"question_text": "a"}, headers={"Idempotency-Key": "k"})


def _one_too_many(organization: TestOrganization, _openai: OpenAIStandIn) -> httpx2.Response:
    organization.change(contact_daily_limit=1)
    require_ok(organization.ask(contact={"id": 21}))
    return organization.ask(contact={"id": 21})


def _full(organization: TestOrganization, _openai: OpenAIStandIn) -> httpx2.Response:
    slots = organization.server.services.slots
    taken = 0
    while slots.acquire(blocking=False):
        taken += 1
    reply = organization.ask()
    slots.release(taken)
    return reply


PROVOKED: dict[str, Provoke] = {
    "invalid_json": lambda organization, _: organization.post(content=b"{"),
    "unauthorized": lambda organization, _: organization.post({}, headers={"Authorization": "Bearer wrong"}),
    "insufficient_quota": if_openai(behaviours.out_of_credit()),
    "budget_exceeded": when(monthly_budget_usd=Decimal(0)),
    "model_not_allowed": when(allowed_models=[]),
    "organization_inactive": when(is_active=False),
    "unknown_function": to("_of_mine"),
    "method_not_allowed": _method,
    "credential_missing": lambda organization, _: organization.server.add_organization(
        "keyless", key="", fallback_message=OWN_WORDS
    ).ask(),
    "credential_inactive": _key_off,
    "call_in_progress": _twice,
    "body_too_large": lambda organization, _: organization.post(content=b" " * (1024 * 1024 + 1)),
    "empty_question": by(question_text=""),
    "invalid_field": by(temperature=9),
    "unresolved_variable": by(question_text="@results.question_1"),
    "model_not_text": by(gpt_model="tts-1"),
    "model_not_supported": by(gpt_model="davinci-002"),
    "model_not_found": if_openai(behaviours.unknown_model()),
    "glific_not_connected": to("?mode=async", contact={"id": 21}, flow_id="5"),
    "missing_flow_context": to("?mode=auto", contact={"id": 21}),
    "rate_limited": if_openai(behaviours.rate_limit("30")),
    "contact_limit": _one_too_many,
    "invalid_api_key": if_openai(behaviours.refuse_key()),
    "upstream_error": if_openai(behaviours.server_error(503)),
    "bad_upstream_reply": if_openai(behaviours.wrong_shape()),
    "empty_answer": if_openai(behaviours.empty()),
    "refused": if_openai(behaviours.refusal()),
    "overloaded": _full,
    "deadline_exceeded": if_openai(behaviours.never()),
}


def test_every_code_of_the_contract_is_provoked() -> None:
    assert PROVOKED.keys() == CODES.keys()


@pytest.mark.parametrize("code", CODES)
def test_an_error_keeps_every_promise(
    start_server: Callable[..., RunningServer], openai: OpenAIStandIn, code: str
) -> None:
    deadline = 0.8 if code == "deadline_exceeded" else 4.5
    server = start_server(deadline_seconds=deadline, max_in_flight=5)
    alice = server.add_organization("alice", fallback_message=OWN_WORDS)

    reply = PROVOKED[code](alice, openai)

    body = require_error(reply, code, FALLBACK_MESSAGE if code in TO_STRANGERS else OWN_WORDS)
    assert alice.key not in reply.text
    assert alice.token not in reply.text
    assert reply.headers["Cache-Control"] == "no-store"
    assert body["error"][0].isupper() or body["error"][0].islower()


def test_without_words_of_its_own_the_servers_are_said(alice: TestOrganization) -> None:
    require_error(alice.ask(""), "empty_question", FALLBACK_MESSAGE)


def test_a_fallback_text_is_neutralised_too(alice: TestOrganization) -> None:
    alice.change(fallback_message="Sorry @contact.name <%= 1 %>")
    said = alice.ask("").json()["parsed_msg"]
    assert "@contact.name" not in said
    assert "<%" not in said
    assert said.replace("\u200b", "") == "Sorry @contact.name <%= 1 %>"


def test_every_answer_has_a_call_id_of_its_own(alice: TestOrganization) -> None:
    start = Barrier(5)

    def ask(question: str) -> str:
        start.wait()
        return str(alice.ask(question).json()["call_id"])

    with ThreadPoolExecutor(5) as pool:
        call_ids = list(pool.map(ask, ["", "", "Hi", "Hi", "@results.x"]))
    assert len(set(call_ids)) == 5
