"""Late answers are stored once, although they arrive together, too late, or with one that cannot be stored."""

from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest

from glific_gpt.calls.context import CallContext
from glific_gpt.calls.deferred.late_answers import Answer, _Arrival
from glific_gpt.calls.execution import Result
from glific_gpt.calls.tenant import Tenant
from glific_gpt.functions.contract import FunctionAnswer
from glific_gpt.runtime.cpu_bound import LARGE_CHARACTERS
from tests.conftest import StartServer
from tests.support.deferred import create_connected_organization, pending_call_id, resumed_result, wait_until
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import answer, never_respond
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization
from tests.webhooks.concurrency import call_concurrently

pytestmark = pytest.mark.usefixtures("patient_deferral")

CALLS = 20


def require_text(result: Result) -> str:
    assert isinstance(result, FunctionAnswer)
    return str(result.parsed_msg)


def defer_calls(
    number: int, organization: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[Tenant, CallContext]]:
    """Defer that many calls, whose answers nothing waits for, and return their tenants and contexts."""
    expected: list[tuple[Tenant, CallContext]] = []
    late_answers = organization.server.services.pipeline.deferrer.late_answers
    monkeypatch.setattr(late_answers, "expect", lambda tenant, context, *_: expected.append((tenant, context)))
    for contact in range(21, 21 + number):
        pending_call_id(organization.ask_deferred("auto", contact=contact))
    return expected


def test_calls_that_are_deferred_together_are_each_asked_and_delivered_once(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    alice = create_connected_organization(start_server(with_worker=True, deadline_seconds=2), glific)
    openai.always(answer("Salt.", after=4))
    replies = call_concurrently(CALLS, lambda number: alice.ask_deferred("auto", contact=number + 1))
    calls = {pending_call_id(reply) for reply in replies}
    wait_until(lambda: len(glific.resumptions) >= CALLS)
    assert sorted(str(each.result["call_id"]) for each in glific.resumptions) == sorted(calls)
    assert len(openai.requests) == CALLS
    assert alice.server.services.pipeline.deferrer.late_answers.wait(1)


def test_an_answer_that_cannot_be_stored_does_not_affect_those_of_its_batch(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = create_connected_organization(start_server(with_worker=True, deadline_seconds=2), glific)
    openai.always(never_respond())
    late_answers = alice.server.services.pipeline.deferrer.late_answers
    expected = defer_calls(2, alice, monkeypatch)
    encrypt = Answer.encrypt

    def encrypt_or_fail(vault: Any, tenant: Any, context: Any, result: Any) -> Answer:
        if result.parsed_msg == "Salt.":
            raise ValueError
        return encrypt(vault, tenant, context, result)

    monkeypatch.setattr(Answer, "encrypt", encrypt_or_fail)
    batch = [
        _Arrival(*each, partial(FunctionAnswer, text)) for each, text in zip(expected, ("Salt.", "Sugar."), strict=True)
    ]
    with alice.server.app.app_context():
        late_answers._store_batch(batch)
    wait_until(lambda: len(glific.resumptions) == 1)
    assert glific.resumptions[0].result["parsed_msg"] == "Sugar."


def test_an_answer_that_does_not_arrive_in_time_is_a_deadline_exceeded(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start_server(with_worker=True, deadline_seconds=2)
    alice = create_connected_organization(server, glific)
    openai.always(answer("Salt.", after=4))
    never: Future[Any] = Future()
    late_answers = server.services.pipeline.deferrer.late_answers
    expect = late_answers.expect
    monkeypatch.setattr(late_answers, "expect", lambda tenant, context, *_: expect(tenant, context, never, 0.2))
    pending_call_id(alice.ask_deferred("auto"))
    wait_until(lambda: glific.resumptions)
    assert resumed_result(glific, 21)["error_code"] == "deadline_exceeded"
    never.set_result("Too late.")
    assert len(glific.resumptions) == 1


def test_a_large_answer_is_stored_apart_from_the_others(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = create_connected_organization(start_server(with_worker=True, deadline_seconds=2), glific)
    openai.always(never_respond())
    late_answers = alice.server.services.pipeline.deferrer.late_answers
    expected = defer_calls(3, alice, monkeypatch)
    batches: list[list[Any]] = []
    store = late_answers._store

    def record(arrivals: list[_Arrival]) -> bool:
        batches.append([len(require_text(each.read_result())) for each in arrivals])
        return store(arrivals)

    monkeypatch.setattr(late_answers, "_store", record)
    texts = ("Salt.", "S" * LARGE_CHARACTERS, "Sugar.")
    batch = [_Arrival(*each, partial(FunctionAnswer, text)) for each, text in zip(expected, texts, strict=True)]
    with alice.server.app.app_context():
        late_answers._store_batch(batch)
    wait_until(lambda: len(glific.resumptions) == 3)
    assert sorted(batches) == [[5, 6], [LARGE_CHARACTERS]]
