"""A duplicate of a deferred call, before or after its delivery, gets the same reply and resumes the flow once."""

import json
import time

import pytest

from glific_gpt.glific.signature import sign
from tests.conftest import StartServer
from tests.support.deferred import count_deliveries, create_connected_organization, pending_call_id
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import answer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import get_code
from tests.webhooks.concurrency import call_concurrently

pytestmark = pytest.mark.usefixtures("patient_deferral")

KEY = {"Idempotency-Key": "a-key"}
BODY = {"question_text": "What is ORS?", "contact": {"id": 21}, "flow_id": "5"}


@pytest.fixture
def alice(server_with_worker: RunningServer, glific: GlificStandIn) -> TestOrganization:
    return create_connected_organization(server_with_worker, glific)


def test_the_same_key_gets_the_same_reply_and_resumes_the_flow_once(
    alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(answer(after=0.3))
    first, second = alice.ask_deferred(headers=KEY), alice.ask_deferred(headers=KEY)
    call_id = pending_call_id(first)
    alice.wait_for_delivery(call_id)
    third = alice.ask_deferred(headers=KEY)
    assert {pending_call_id(second), pending_call_id(third)} == {call_id}
    replayed = [reply.headers.get("Idempotent-Replayed") for reply in (first, second, third)]
    assert replayed == [None, "true", "true"]
    assert (len(openai.requests), len(glific.resumptions), len(alice.calls())) == (1, 1, 1)


def test_the_same_signature_gets_the_same_reply_and_resumes_the_flow_once(
    alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    alice.set_phrase("a phrase that only Glific knows")
    raw = json.dumps(BODY).encode()
    signed = {"X-Glific-Signature": sign("a phrase that only Glific knows", raw, int(time.time())), "Authorization": ""}
    call_id = pending_call_id(alice.post(content=raw, headers=signed, query="?mode=async"))
    duplicate = alice.post(content=raw, headers=signed, query="?mode=async")
    assert (pending_call_id(duplicate), duplicate.headers["Idempotent-Replayed"]) == (call_id, "true")
    alice.wait_for_delivery(call_id)
    assert (len(openai.requests), len(glific.resumptions)) == (1, 1)


def test_the_same_key_gets_the_same_reply_after_the_deadline(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    alice = create_connected_organization(start_server(with_worker=True, deadline_seconds=0.4), glific)
    openai.always(answer(after=0.8))
    call_id = pending_call_id(alice.ask_deferred("auto", headers=KEY))
    assert pending_call_id(alice.ask_deferred("auto", headers=KEY)) == call_id
    alice.wait_for_delivery(call_id)
    assert pending_call_id(alice.ask_deferred("auto", headers=KEY)) == call_id
    assert (len(openai.requests), len(glific.resumptions)) == (1, 1)


def test_it_accepts_one_of_many_concurrent_duplicates(
    alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    replies = call_concurrently(6, lambda _: alice.ask_deferred(headers=KEY))
    accepted = {reply.json()["call_id"] for reply in replies if get_code(reply) == "pending"}
    assert {get_code(reply) for reply in replies} <= {"pending", "call_in_progress"}
    (call_id,) = accepted
    alice.wait_for_delivery(call_id)
    assert (len(openai.requests), len(glific.resumptions)) == (1, 1)


def test_the_same_key_of_another_organization_is_another_call(
    alice: TestOrganization, server_with_worker: RunningServer, glific: GlificStandIn
) -> None:
    bob = create_connected_organization(server_with_worker, glific, "bob")
    calls = {
        organization.slug: pending_call_id(organization.ask_deferred(headers=KEY)) for organization in (alice, bob)
    }
    assert calls["alice"] != calls["bob"]
    assert {alice.wait_for_delivery(calls["alice"]).state, bob.wait_for_delivery(calls["bob"]).state} == {"delivered"}
    assert count_deliveries(server_with_worker) == 2
