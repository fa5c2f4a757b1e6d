"""?mode=auto: the answer if it is in time, and otherwise a deferred call. OpenAI is asked once."""

import time
from threading import Event

import pytest
from sqlalchemy import update

from glific_gpt.calls.tables import Call
from glific_gpt.clock import now
from glific_gpt.database import transaction
from tests.conftest import StartServer
from tests.support.deferred import (
    count_deliveries,
    create_connected_organization,
    find_call,
    has_unfinished_work,
    pending_call_id,
    resumed_result,
    start_worker_in_process,
)
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import answer, out_of_credit, respond_after
from tests.support.openai_exchange import Exchange
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.programs import TIMEOUT_SECONDS
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import require_error, require_ok
from tests.webhooks.concurrency import call_concurrently

pytestmark = pytest.mark.usefixtures("patient_deferral")

DEADLINE_SECONDS = 0.4
FALLBACK = "Please call 1800."


@pytest.fixture
def alice_with_default_deadline(server_with_worker: RunningServer, glific: GlificStandIn) -> TestOrganization:
    """A connected organization with the default deadline."""
    return create_connected_organization(server_with_worker, glific, fallback_message=FALLBACK)


@pytest.fixture
def alice(start_server: StartServer, glific: GlificStandIn) -> TestOrganization:
    """A connected organization with a short deadline."""
    return create_connected_organization(
        start_server(with_worker=True, deadline_seconds=DEADLINE_SECONDS), glific, fallback_message=FALLBACK
    )


def test_it_answers_in_the_request_if_there_is_time(
    alice_with_default_deadline: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(answer("Salt.", after=0.2))
    replies = [alice_with_default_deadline.ask_deferred("auto", headers={"Idempotency-Key": "a-key"}) for _ in range(2)]
    assert [require_ok(reply) for reply in replies] == ["Salt.", "Salt."]
    assert replies[0].json() == replies[1].json()
    assert replies[1].headers["Idempotent-Replayed"] == "true"
    (row,) = alice_with_default_deadline.calls()
    assert (row["status"], row["error_code"], row["input_tokens"], row["output_tokens"]) == ("ok", None, 11, 7)
    assert (len(openai.requests), glific.requests) == (1, [])
    assert count_deliveries(alice_with_default_deadline.server) == 0
    assert not has_unfinished_work(alice_with_default_deadline.server)


def test_an_error_in_time_has_its_own_status(
    alice_with_default_deadline: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.will(out_of_credit())
    require_error(alice_with_default_deadline.ask_deferred("auto"), "insufficient_quota", FALLBACK)
    (row,) = alice_with_default_deadline.calls()
    assert (row["status"], row["error_code"]) == ("error", "insufficient_quota")
    assert glific.requests == []
    assert count_deliveries(alice_with_default_deadline.server) == 0


def test_it_defers_at_the_deadline_and_keeps_the_same_call_to_openai(
    alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    may_answer = Event()

    def answer_later(exchange: Exchange) -> None:
        may_answer.wait(TIMEOUT_SECONDS)
        answer("Sugar and salt.")(exchange)

    openai.always(answer_later)
    started = time.monotonic()
    call_id = pending_call_id(alice.ask_deferred("auto"))
    assert time.monotonic() - started > DEADLINE_SECONDS * 0.9
    assert find_call(alice, call_id)["status"] == "pending"
    may_answer.set()
    assert alice.wait_for_delivery(call_id).state == "delivered"
    assert resumed_result(glific, 21)["parsed_msg"] == "Sugar and salt."
    row = find_call(alice, call_id)
    assert (row["status"], row["input_tokens"], row["output_tokens"]) == ("ok", 11, 7)
    assert row["duration_ms"] >= DEADLINE_SECONDS * 1000
    assert len(openai.requests) == 1


def test_it_resumes_the_flow_with_a_late_error(
    alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(respond_after(0.8, out_of_credit()))
    call_id = pending_call_id(alice.ask_deferred("auto"))
    assert alice.wait_for_delivery(call_id).state == "delivered"
    body, row = resumed_result(glific, 21), find_call(alice, call_id)
    assert (body["status"], body["error_code"], body["parsed_msg"]) == ("error", "insufficient_quota", FALLBACK)
    assert (row["status"], row["error_code"]) == ("error", "insufficient_quota")
    assert len(openai.requests) == 1


def test_it_delivers_many_concurrent_deferred_calls(
    alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(answer(after=0.9))
    replies = call_concurrently(12, lambda number: alice.ask_deferred("auto", contact=100 + number))
    for number, reply in enumerate(replies):
        call_id = pending_call_id(reply)
        assert alice.wait_for_delivery(call_id).state == "delivered"
        assert resumed_result(glific, 100 + number)["call_id"] == call_id
    assert len(openai.requests) == 12


def test_it_delivers_more_deferred_calls_than_it_has_slots(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    alice = create_connected_organization(
        start_server(with_worker=True, deadline_seconds=DEADLINE_SECONDS, max_in_flight=1), glific
    )
    openai.always(answer(after=0.9))
    calls = {contact: pending_call_id(alice.ask_deferred("auto", contact=contact)) for contact in (21, 22)}
    for contact, call_id in calls.items():
        assert alice.wait_for_delivery(call_id).state == "delivered"
        assert resumed_result(glific, contact)["status"] == "ok"
    assert len(openai.requests) == 2


def test_a_pending_call_is_not_marked_interrupted(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(answer(after=0.8))
    call_id = pending_call_id(alice.ask_deferred("auto"))
    with alice.server.app.app_context(), transaction() as session:
        session.execute(update(Call).values(give_up_at=now()))
    assert find_call(alice, call_id)["status"] == "pending"
    alice.wait_for_delivery(call_id)
    assert find_call(alice, call_id)["status"] == "ok"


def test_a_process_without_a_worker_defers_and_another_one_delivers(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    server = start_server(deadline_seconds=DEADLINE_SECONDS)
    alice = create_connected_organization(server, glific)
    openai.always(answer("Sugar and salt.", after=0.6))
    call_id = pending_call_id(alice.ask_deferred("auto"))
    assert has_unfinished_work(server)
    assert glific.requests == []
    start_server(with_worker=True)
    assert alice.wait_for_delivery(call_id).state == "delivered"
    assert [resumed.result["parsed_msg"] for resumed in glific.resumptions] == ["Sugar and salt."]


def test_a_process_that_becomes_a_worker_reuses_its_running_call_to_openai(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    alice = create_connected_organization(start_server(deadline_seconds=DEADLINE_SECONDS), glific)
    openai.always(answer(after=0.6))
    call_id = pending_call_id(alice.ask_deferred("auto"))
    start_worker_in_process(alice.server)
    assert alice.wait_for_delivery(call_id).state == "delivered"
    assert (len(openai.requests), len(glific.resumptions)) == (1, 1)
