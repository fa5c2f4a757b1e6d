"""A duplicate of a call within 15 minutes gets the stored answer and costs nothing."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
import time_machine
from cryptography.fernet import Fernet
from sqlalchemy import select

from glific_gpt.calls import replays
from glific_gpt.calls.stored_reply_limit import StoredReplyLimit
from glific_gpt.calls.tables import StoredReply
from glific_gpt.database import transaction
from glific_gpt.glific.signature import DUMMY_PHRASE, sign
from tests.conftest import StartServer
from tests.support import http
from tests.support.deferred import wait_until
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import (
    answer,
    echo,
    empty,
    out_of_credit,
    rate_limit,
    refuse_key,
    respond_after,
    send_html,
    unknown_model,
)
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization
from tests.webhooks.assertions import get_code, require_error, require_ok
from tests.webhooks.concurrency import call_concurrently

pytestmark = pytest.mark.both_databases

STORAGE_PERIOD = timedelta(minutes=15)
SECOND = timedelta(seconds=1)


def ask_with_key(organization: TestOrganization, key: str = "a-key", question: str = "What is ORS?") -> httpx2.Response:
    return organization.post({"question_text": question}, headers={"Idempotency-Key": key})


def test_the_same_key_gets_the_same_answer(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.will(answer("The first."), answer("The second."))
    first, second, third = ask_with_key(alice), ask_with_key(alice), ask_with_key(alice)
    assert require_ok(first) == "The first."
    assert first.json() == second.json() == third.json()
    assert (first.status_code, second.status_code) == (200, 200)
    assert len(openai.requests) == 1
    assert len(alice.calls()) == 1
    assert require_ok(ask_with_key(alice, "another-key")) == "The second."


def test_a_stored_answer_that_this_process_cannot_decrypt_is_kept_and_not_paid_for_again(
    alice: TestOrganization, start_server: StartServer, openai: OpenAIStandIn
) -> None:
    first = ask_with_key(alice)
    other = start_server(encryption_keys=Fernet.generate_key().decode())
    elsewhere = TestOrganization(other, alice.slug, alice.token, alice.key)
    require_error(ask_with_key(elsewhere), "not_ready")
    assert ask_with_key(alice).json() == first.json()
    assert len(openai.requests) == 1


@pytest.mark.parametrize("phrase", ["a phrase that only Glific knows", DUMMY_PHRASE], ids=["signed", "by token"])
def test_the_same_signature_gets_the_same_answer(alice: TestOrganization, openai: OpenAIStandIn, phrase: str) -> None:
    body = b'{"question_text": "What is ORS?"}'
    headers = {"X-Glific-Signature": sign(phrase, body, int(time.time()))}
    if phrase == DUMMY_PHRASE:
        headers["Authorization"] = f"Bearer {alice.token}"
    else:
        alice.set_phrase(phrase)
    first, second = (http.post(alice.url, content=body, headers=headers, timeout=20) for _ in range(2))
    require_ok(first)
    assert first.json() == second.json()
    assert len(openai.requests) == 1


SIGNED_PHRASE = "a phrase that only Glific knows"


def post_signed(
    organization: TestOrganization, signature: str, body: bytes, key: str | None = None, query: str = ""
) -> httpx2.Response:
    headers = {"X-Glific-Signature": signature} | ({"Idempotency-Key": key} if key else {})
    return http.post(organization.url + query, content=body, headers=headers, timeout=20)


@pytest.mark.parametrize("query", ["", "?mode=async", "?mode=auto"])
def test_a_signed_call_that_is_repeated_with_other_keys_is_answered_once(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn, query: str
) -> None:
    alice = start_server(with_worker=True).add_organization("alice")
    alice.connect(glific)
    alice.set_phrase(SIGNED_PHRASE)
    body = b'{"question_text": "What is ORS?", "contact_id": 21, "flow_id": 5}'
    signature = sign(SIGNED_PHRASE, body, int(time.time()))
    replies = [post_signed(alice, signature, body, key, query) for key in ("one", "two", None, "three", "one")]
    assert len({reply.json()["call_id"] for reply in replies}) == 1
    wait_until(lambda: len(openai.requests) == 1)
    assert len(alice.calls()) == 1


def test_one_of_ten_concurrent_copies_of_a_signed_call_asks_openai(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    alice.set_phrase(SIGNED_PHRASE)
    openai.always(respond_after(1, answer()))
    body = b'{"question_text": "What is ORS?"}'
    signature = sign(SIGNED_PHRASE, body, int(time.time()))
    replies = call_concurrently(10, lambda number: post_signed(alice, signature, body, f"key {number}"))
    assert sorted(map(get_code, replies)) == ["call_in_progress"] * 9 + ["ok"]
    assert len(openai.requests) == 1


def test_calls_with_other_signatures_and_the_same_key_are_one_call(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    alice.set_phrase(SIGNED_PHRASE)
    body = b'{"question_text": "What is ORS?"}'
    signatures = [sign(SIGNED_PHRASE, body, int(time.time()) - age) for age in (0, 1)]
    replies = [post_signed(alice, signature, body, "one") for signature in signatures]
    assert replies[0].json() == replies[1].json()
    assert len(openai.requests) == 1


def test_calls_without_a_key_are_each_answered(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    first, second = alice.ask(), alice.ask()
    assert first.json()["call_id"] != second.json()["call_id"]
    assert len(openai.requests) == 2


def test_another_organization_with_the_same_key_gets_its_own_answer(
    alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.always(echo())
    alice_answer, bob_answer = require_ok(ask_with_key(alice)), require_ok(ask_with_key(bob))
    assert f"key={alice.key[-4:]}" in alice_answer
    assert f"key={bob.key[-4:]}" in bob_answer
    assert require_ok(ask_with_key(alice)) == alice_answer


def test_the_same_key_is_a_new_call_after_15_minutes(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    first = ask_with_key(alice).json()
    with time_machine.travel(datetime.now(UTC) + STORAGE_PERIOD - 30 * SECOND):
        assert ask_with_key(alice).json() == first
    with time_machine.travel(datetime.now(UTC) + STORAGE_PERIOD + 30 * SECOND):
        assert ask_with_key(alice).json()["call_id"] != first["call_id"]
    assert len(openai.requests) == 2


def test_a_failure_that_somebody_has_to_fix_is_stored(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.will(out_of_credit(), refuse_key(), unknown_model(), empty())
    for code in ("insufficient_quota", "invalid_api_key", "model_not_found", "empty_answer"):
        first, second = ask_with_key(alice, code), ask_with_key(alice, code)
        require_error(first, code)
        require_error(second, code)
        assert first.json() == second.json()
    assert len(openai.requests) == 4


def test_a_failure_that_passes_by_itself_is_not_stored(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    for code, failure in {
        "rate_limited": rate_limit("60"),
        "upstream_error": send_html(403),
        "bad_upstream_reply": send_html(200),
        "deadline_exceeded": respond_after(6),
    }.items():
        openai.will(failure)
        require_error(ask_with_key(alice, code), code)
        require_ok(ask_with_key(alice, code))
        require_ok(ask_with_key(alice, code))
    assert len(openai.requests) == 8


def test_the_same_key_with_another_body_is_a_mismatch(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    first = ask_with_key(alice)
    require_error(ask_with_key(alice, question="What is ORS made of?"), "idempotency_mismatch")
    with_prompt = alice.post(
        {"question_text": "What is ORS?", "prompt": "Be brief."}, headers={"Idempotency-Key": "a-key"}
    )
    require_error(with_prompt, "idempotency_mismatch")
    assert ask_with_key(alice).json() == first.json()
    assert len(openai.requests) == 1


def test_the_key_of_a_running_call_with_another_body_is_a_mismatch(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.always(respond_after(0.6))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask_with_key, alice)
        while not openai.requests:
            time.sleep(0.01)
        require_error(ask_with_key(alice, question="Another?"), "idempotency_mismatch")
    require_ok(first.result())


def test_a_mismatch_of_one_organization_is_no_mismatch_of_another(
    alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn
) -> None:
    require_ok(ask_with_key(alice))
    require_ok(ask_with_key(bob, question="Another?"))


def test_a_failed_check_is_not_stored(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.switch_key(on=False)
    require_error(ask_with_key(alice), "credential_inactive")
    alice.switch_key(on=True)
    alice.change(allowed_models=[])
    require_error(ask_with_key(alice), "model_not_allowed")
    alice.change(allowed_models=None, monthly_budget_usd=0)
    require_error(ask_with_key(alice), "budget_exceeded")
    alice.change(monthly_budget_usd=None)
    require_error(ask_with_key(alice, question=" "), "empty_question")
    require_error(alice.post(content=b"{", headers={"Idempotency-Key": "a-key"}), "invalid_json")
    require_ok(ask_with_key(alice))
    assert len(openai.requests) == 1


def test_an_unauthorized_caller_gets_no_stored_answer(
    alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn
) -> None:
    require_ok(ask_with_key(alice))
    headers = {"Idempotency-Key": "a-key", "Authorization": f"Bearer {bob.token}"}
    require_error(alice.post({"question_text": "What is ORS?"}, headers=headers), "unauthorized")


def test_a_duplicate_of_a_running_call_is_in_progress(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(respond_after(0.6))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask_with_key, alice)
        while not openai.requests:
            time.sleep(0.01)
        require_error(ask_with_key(alice), "call_in_progress")
        require_ok(alice.ask())
    reply = first.result()
    require_ok(reply)
    assert ask_with_key(alice).json() == reply.json()
    assert len(openai.requests) == 2


def test_one_of_ten_concurrent_duplicates_asks_openai(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(respond_after(0.5))
    replies = call_concurrently(10, lambda _: ask_with_key(alice))
    codes = sorted({get_code(reply) for reply in replies})
    assert codes in (["call_in_progress", "ok"], ["ok"])
    assert len(openai.requests) == 1
    assert len({reply.json()["call_id"] for reply in replies if reply.status_code == 200}) == 1


def test_a_killed_call_does_not_block_its_key_for_ever(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    require_ok(ask_with_key(alice))
    with alice.server.app.app_context(), transaction() as session:
        stored = session.scalars(select(StoredReply)).one()
        stored.status = stored.body = None
    require_error(ask_with_key(alice), "call_in_progress")
    with time_machine.travel(datetime.now(UTC) + 10 * SECOND):
        require_ok(ask_with_key(alice))
    assert len(openai.requests) == 2


def test_a_late_call_does_not_replace_the_answer_of_its_successor(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.will(answer("The late one.", after=3.0), answer("The successor."))
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(ask_with_key, alice)
        while not openai.requests:
            time.sleep(0.01)
        expire_calls(alice)
        assert require_ok(ask_with_key(alice)) == "The successor."
    assert require_ok(late.result()) == "The late one."
    assert require_ok(ask_with_key(alice)) == "The successor."


def expire_calls(organization: TestOrganization) -> None:
    """Expire the running calls, as if the process that answers them had been killed."""
    with organization.server.app.app_context(), transaction() as session:
        for stored in session.scalars(select(StoredReply)):
            stored.give_up_at = datetime.now(UTC) - SECOND


def test_a_stored_answer_is_encrypted(
    alice: TestOrganization, openai: OpenAIStandIn, start_server: StartServer
) -> None:
    openai.always(answer("Salt, sugar, water."))
    require_ok(ask_with_key(alice, "key-of-the-call"))
    with alice.server.app.app_context(), transaction() as session:
        stored = session.scalars(select(StoredReply)).one()
    columns = " ".join(str(value) for value in vars(stored).values())
    for secret in ("sugar", "ORS", "key-of-the-call", "parsed_msg"):
        assert secret not in columns


def test_keys_of_any_kind_are_distinguished(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    keys = ("a", "A", "a" * 5000, "a'--", "%s", "{}", "a b", "0", "null")
    for key in (*keys, *keys):
        require_ok(ask_with_key(alice, key))
    assert len(openai.requests) == len(keys)


def ask_for_json(organization: TestOrganization, key: str) -> httpx2.Response:
    body = {"question_text": "A list", "response_format": {"type": "json_object"}}
    return organization.post(body, headers={"Idempotency-Key": key})


def test_large_answers_beyond_the_limit_of_an_organization_are_not_stored_and_not_paid_for_again(
    alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "large_reply_limit", StoredReplyLimit(STORAGE_PERIOD, max_bytes=100_000))
    large = json.dumps({"items": ["x" * 1000] * 40})
    openai.will(*[answer(large)] * 3, answer("A short one."))
    assert [ask_for_json(alice, key).status_code for key in ("first", "second")] == [200, 200]
    assert ask_for_json(bob, "first").status_code == 200
    ask_with_key(alice, "short")
    repeated = ask_for_json(alice, "second")
    assert require_error(repeated, "rate_limited")
    assert (repeated.status_code, repeated.headers["Retry-After"]) == (429, "900")
    assert [ask_for_json(alice, "first").status_code, ask_for_json(bob, "first").status_code] == [200, 200]
    assert require_ok(ask_with_key(alice, "short")) == "A short one."
    assert len(openai.requests) == 4


def test_small_answers_have_a_limit_too(
    alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "total_limit", StoredReplyLimit(STORAGE_PERIOD, max_bytes=10_000, min_bytes=0))
    openai.always(answer("A short one. " * 100))
    for organization in (alice, bob):
        assert [ask_with_key(organization, str(key)).status_code for key in range(10)] == [200] * 10
        assert require_ok(ask_with_key(organization, "0"))
        assert require_error(ask_with_key(organization, "9"), "rate_limited")
    assert len(openai.requests) == 20


def test_large_answers_are_counted_for_15_minutes() -> None:
    replies = StoredReplyLimit(STORAGE_PERIOD, max_bytes=100_000)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        assert [replies.admit(1, 60_000), replies.admit(1, 60_000), replies.admit(2, 60_000)] == [True, False, True]
        assert all(replies.admit(1, 10_000) for _ in range(5)), "small answers do not count"
        clock.shift(STORAGE_PERIOD + 2 * SECOND)
        assert replies.admit(1, 60_000)


def test_many_answers_are_counted_in_little_memory() -> None:
    replies = StoredReplyLimit(STORAGE_PERIOD, max_bytes=100_000, min_bytes=0)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        for _ in range(5):
            assert all(replies.admit(1, 100) for _ in range(200))
            clock.shift(SECOND)
        assert not replies.admit(1, 100)
    assert len(replies._stored[1]) == 5
