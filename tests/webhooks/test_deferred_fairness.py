"""A slow OpenAI or a failing Glific of one organization does not delay other organizations."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from glific_gpt.calls.deferred.workflow import LARGE_BYTES
from glific_gpt.durable.workflow import WORKING_SLOTS
from glific_gpt.runtime.thread_slots import ThreadSlots
from glific_gpt.settings import Settings
from tests.conftest import StartServer
from tests.support.deferred import create_connected_organization, pending_call_id, wait_until
from tests.support.glific_behaviours import never_respond, server_error
from tests.support.glific_exchange import LOGIN_PATH
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import answer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer
from tests.webhooks.assertions import require_ok

pytestmark = pytest.mark.both_databases


@pytest.fixture
def failing_glific() -> Iterator[GlificStandIn]:
    with GlificStandIn() as glific:
        glific.always(server_error())
        yield glific


def test_an_unavailable_glific_occupies_no_slot(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn, failing_glific: GlificStandIn
) -> None:
    server = start_server(with_worker=True, max_deferred_calls=4, max_deferred_calls_per_organization=2)
    alice, bob, carol = (server.add_organization(name) for name in ("alice", "bob", "carol"))
    for organization, its_glific in ((alice, failing_glific), (bob, failing_glific), (carol, glific)):
        organization.connect(its_glific)
    calls = [
        pending_call_id(organization.ask_deferred(contact=contact))
        for contact in range(21, 25)
        for organization in (alice, bob)
    ]
    wait_until(lambda: len(openai.requests) == len(calls), seconds=10)
    assert carol.wait_for_delivery(pending_call_id(carol.ask_deferred()), seconds=5).state == "delivered"
    assert {alice.delivery(call_id).state for call_id in calls} == {"waiting"}
    failing_glific.reset()
    assert {alice.wait_for_delivery(call_id, seconds=15).state for call_id in calls} == {"delivered"}
    assert len(openai.requests) == len(calls) + 1


def test_slow_answers_of_many_organizations_do_not_delay_another(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    server = start_server(with_worker=True)
    slow = [create_connected_organization(server, glific, f"slow-{number}") for number in range(WORKING_SLOTS + 2)]
    for organization in slow:
        openai.for_key(organization.key, answer(after=15))
    fast = create_connected_organization(server, glific, "fast")
    for organization in slow:
        pending_call_id(organization.ask_deferred())
    wait_until(lambda: len(openai.requests) == len(slow), seconds=14)
    fast.wait_for_delivery(pending_call_id(fast.ask_deferred()))
    assert len(glific.resumptions) == 1
    openai.reset()


def test_a_glific_that_does_not_answer_delays_no_other_organization(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    server = start_server(with_worker=True)
    with GlificStandIn() as silent_glific:
        silent_glific.always(never_respond())
        for number in range(WORKING_SLOTS + 2):
            slow = create_connected_organization(server, silent_glific, f"slow-{number}")
            pending_call_id(slow.ask_deferred())
        wait_until(
            lambda: sum(each.path != LOGIN_PATH for each in silent_glific.requests) == WORKING_SLOTS + 2, seconds=14
        )
        fast = create_connected_organization(server, glific, "fast")
        assert fast.wait_for_delivery(pending_call_id(fast.ask_deferred()), seconds=5).state == "delivered"


def test_large_questions_wait_without_delaying_small_ones(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glific_gpt.calls.deferred.workflow._large_questions", ThreadSlots(1))
    server = start_server(with_worker=True)
    alice, bob = (create_connected_organization(server, glific, name) for name in ("alice", "bob"))
    openai.for_key(alice.key, answer(after=3))
    large = [
        pending_call_id(alice.ask_deferred(contact=contact, question_text="x" * LARGE_BYTES))
        for contact in range(21, 27)
    ]
    wait_until(lambda: len(openai.requests) == 1)
    assert bob.wait_for_delivery(pending_call_id(bob.ask_deferred()), seconds=10).state == "delivered"
    assert len(openai.requests) < len(large)
    openai.for_key(alice.key, answer())
    assert {alice.wait_for_delivery(call_id).state for call_id in large} == {"delivered"}


def test_the_defaults_leave_room_beside_forty_organizations() -> None:
    fields = Settings.model_fields
    limit_of_one = fields["max_deferred_calls_per_organization"].default
    assert fields["max_deferred_calls"].default >= 40 * limit_of_one


def test_slow_answers_of_one_organization_do_not_delay_another(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    server = start_server(with_worker=True, deadline_seconds=0.5, max_in_flight=1)
    alice, bob = server.add_organization("alice"), server.add_organization("bob")
    openai.for_key(alice.key, answer(after=2))
    openai.for_key(bob.key, answer("Salt."))
    for organization in (alice, bob):
        organization.connect(glific)
    calls = [pending_call_id(alice.ask_deferred("auto", contact=contact)) for contact in (21, 22)]
    assert require_ok(bob.ask_deferred("auto")) == "Salt."
    assert {alice.wait_for_delivery(call_id).state for call_id in calls} == {"delivered"}
    assert len(openai.requests) == 3


@pytest.mark.usefixtures("patient_deferral")
def test_slow_auto_calls_of_four_organizations_leave_room_for_a_fifth(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    server = start_server(deadline_seconds=4, max_deferred_calls=8, max_deferred_calls_per_organization=2)
    slow = [create_connected_organization(server, glific, f"slow-{number}") for number in range(4)]
    for organization in slow:
        openai.for_key(organization.key, answer(after=6))
    fast = create_connected_organization(server, glific, "fast")
    openai.for_key(fast.key, answer("Salt."))
    with ThreadPoolExecutor(8) as pool:
        replies = [pool.submit(organization.ask_deferred, "auto") for organization in slow for _ in range(2)]
        wait_until(lambda: len(openai.requests) + sum(reply.done() for reply in replies) == 8)  # the others are queued
        assert require_ok(fast.ask_deferred("auto")) == "Salt."
    for reply in replies:
        pending_call_id(reply.result())


@pytest.mark.parametrize("limits", [{"max_deferred_calls_per_organization": 1}, {"max_deferred_calls": 1}])
def test_a_call_over_the_limit_of_deferred_calls_waits_in_the_queue(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn, limits: dict[str, Any]
) -> None:
    server: RunningServer = start_server(deadline_seconds=0.5, **limits)
    alice = server.add_organization("alice")
    alice.connect(glific)
    openai.always(answer(after=3))
    first = pending_call_id(alice.ask_deferred("auto"))
    pending_call_id(alice.ask_deferred("auto", contact=22))
    assert alice.delivery(first).asked_at
    assert len(openai.requests) == 1
    openai.always(answer("Salt."))
    wait_until(lambda: alice.ask_deferred("auto", contact=23).json()["status"] == "ok", seconds=5)
