"""A deferred call that fails resumes its flow with an error."""

import pytest
from cryptography.fernet import Fernet

from tests.conftest import StartServer
from tests.support.deferred import find_call, pending_call_id, resumed_result, start_worker_in_process, wait_until
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import never_respond, out_of_credit, refusal, refuse_key, server_error
from tests.support.openai_exchange import Exchange
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import ERROR_CODES, ERROR_KEYS, require_ok

FALLBACK = "Please call 1800."

FAILURES = {
    "insufficient_quota": out_of_credit(),
    "invalid_api_key": refuse_key(),
    "deadline_exceeded": never_respond(),
    "refused": refusal(),
    "upstream_error": server_error(400),
}
"""The behaviour of OpenAI, by the text of the question."""


def fail(exchange: Exchange) -> None:
    FAILURES[exchange.received.question](exchange)


@pytest.fixture
def alice(start_server: StartServer, glific: GlificStandIn) -> TestOrganization:
    alice = start_server(with_worker=True, deferred_timeout_seconds=1).add_organization(
        "alice", fallback_message=FALLBACK
    )
    alice.connect(glific)
    return alice


def test_it_resumes_the_flow_with_the_error(
    alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(fail)
    contacts = dict(enumerate(FAILURES, 21))
    calls = {n: pending_call_id(alice.ask_deferred(question_text=code, contact=n)) for n, code in contacts.items()}
    for contact, code in contacts.items():
        assert alice.wait_for_delivery(calls[contact]).state == "delivered", code
        body = resumed_result(glific, contact)
        assert set(body) == ERROR_KEYS
        assert (body["success"], body["status"]) == (False, "error")
        assert (body["error_code"], body["error_class"]) == (code, ERROR_CODES[code][1])
        assert (body["parsed_msg"], body["call_id"]) == (FALLBACK, calls[contact])
        assert body["error"][-1] == "."
        assert alice.key[:12] not in body["error"]


LASTING = {
    "insufficient_quota": {"code": "organization_spend_limit_exceeded"},
    "invalid_api_key": {"code": None, "type": "access_terminated"},
    "wrong_region": {"code": "incorrect_hostname"},
    "invalid_field": {"message": "Request too large for gpt-4o: Limit 30000, Requested 45411.", "type": "tokens"},
    "rate_limited": {"message": "Rate limit reached on requests per day (RPD). Please try again in 7m12s."},
}
"""Errors that OpenAI sends with the status 429, and that no waiting within the call cures."""


@pytest.mark.parametrize("mode", ["async", "auto"])
def test_nothing_is_asked_again_that_waiting_does_not_cure(
    start_server: StartServer, glific: GlificStandIn, openai: OpenAIStandIn, mode: str
) -> None:
    alice = start_server(with_worker=True).add_organization("alice")
    alice.connect(glific)
    openai.always(lambda exchange: exchange.send_json(429, {"error": LASTING[exchange.received.question]}))
    for contact, code in enumerate(LASTING, 31):
        reply = alice.ask_deferred(question_text=code, contact=contact, mode=mode)
        if mode == "async":
            assert alice.wait_for_delivery(pending_call_id(reply)).state == "delivered", code
            assert resumed_result(glific, contact)["error_code"] == code
        else:
            assert reply.json()["error_code"] == code
    assert [request.question for request in openai.requests] == list(LASTING)


def test_it_records_the_same_error_code(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(fail)
    codes = ("insufficient_quota", "refused")
    calls = {code: pending_call_id(alice.ask_deferred(question_text=code)) for code in codes}
    for code, call_id in calls.items():
        alice.wait_for_delivery(call_id)
        row = find_call(alice, call_id)
        assert (row["status"], row["error_code"]) == ("error", code)
        assert row["duration_ms"] is not None


def test_the_error_of_a_deferred_call_does_not_mention_the_time_that_glific_waits(
    alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(never_respond())
    alice.wait_for_delivery(pending_call_id(alice.ask_deferred()))
    assert "in the time that Glific waits" not in resumed_result(glific, 21)["error"]


def test_a_failed_call_releases_its_reserved_budget(
    alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    alice.change(monthly_budget_usd="0.0104")
    openai.will(server_error(400))
    alice.wait_for_delivery(pending_call_id(alice.ask_deferred(max_tokens=1000)))
    assert resumed_result(glific, 21)["error_code"] == "upstream_error"
    require_ok(alice.ask(max_tokens=1000))
    assert openai.requests[-1].body["max_completion_tokens"] == 1000


def test_a_question_that_cannot_be_decrypted_waits_until_a_process_has_the_key(
    server: RunningServer, start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    alice = server.add_organization("alice")
    alice.connect(glific)
    call_id = pending_call_id(alice.ask_deferred())
    other = start_server(encryption_keys=Fernet.generate_key().decode())
    start_worker_in_process(other)
    wait_until(lambda: alice.delivery(call_id).last_response is not None)
    waiting = alice.delivery(call_id)
    assert (waiting.state, waiting.answered_at, openai.requests) == ("waiting", None, [])
    assert waiting.question is not None
    other.services.engine.stop(0)

    start_worker_in_process(server)

    assert alice.wait_for_delivery(call_id).state == "delivered"
    assert resumed_result(glific, 21)["status"] == "ok"
    assert len(openai.requests) == 1
