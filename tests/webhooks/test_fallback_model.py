"""The fallback model of an organization: when it is asked, with which key, and what is recorded."""

import time
from decimal import Decimal
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.support import openai_behaviours as behaviours
from tests.support.deferred import create_connected_organization, find_call, pending_call_id, resumed_result
from tests.support.glific_stand_in import GlificStandIn
from tests.support.metrics import metered, scrape
from tests.support.openai_behaviours import answer
from tests.support.openai_exchange import Behaviour, Exchange
from tests.support.openai_shapes import ModelOutput, build_body
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import get_code, require_error, require_ok

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

FIRST, FALLBACK = "gpt-4o", "gpt-4.1-mini"


def too_large(exchange: Exchange) -> None:
    message = "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 40000."
    exchange.send_json(429, {"error": {"message": message, "code": "rate_limit_exceeded"}})


REASONS: dict[str, tuple[Behaviour, str]] = {
    "not found": (behaviours.unknown_model(), "model_not_found"),
    "no access": (behaviours.no_permission(), "model_not_found"),
    "not for questions": (behaviours.not_a_chat_model(), "model_not_supported"),
    "limited for a minute": (behaviours.rate_limit("60"), "rate_limited"),
    "larger than its limit": (too_large, "invalid_field"),
    "limited for a moment": (behaviours.rate_limit("1"), "rate_limited"),
    "an error": (behaviours.server_error(500), "upstream_error"),
    "overloaded": (behaviours.server_error(503), "upstream_error"),
    "a page": (behaviours.send_html(502), "upstream_error"),
}
OTHER_FAULTS = {
    "a wrong key": behaviours.refuse_key(),
    "missing scopes": behaviours.missing_scopes(),
    "no credit": behaviours.out_of_credit(),
    "a refusal": behaviours.refusal(),
    "a content filter": behaviours.content_filter_stop(),
    "an empty answer": behaviours.empty(),
    "too long": behaviours.too_long(),
    "another region": behaviours.wrong_region(),
}


def by_model(**models: Behaviour) -> Behaviour:
    """Answer each model in its own way, the first model as `first` and the fallback model as `fallback`."""

    def respond(exchange: Exchange) -> None:
        models.get("first" if exchange.received.model == FIRST else "fallback", answer())(exchange)

    return respond


def answer_as(model: str) -> Behaviour:
    """Answer under another id than the requested one, for 1,000 tokens in and 1,000 out."""
    output = ModelOutput("Drink water.", input_tokens=1000, output_tokens=1000)
    return lambda exchange: exchange.send_json(200, build_body(exchange, output) | {"model": model})


def asked(openai: OpenAIStandIn) -> list[str]:
    return [request.model for request in openai.requests]


@pytest.fixture
def alice(alice: TestOrganization) -> TestOrganization:
    """An organization with a fallback model."""
    alice.change(fallback_model=FALLBACK)
    return alice


def test_it_answers_immediately_if_openai_does_not_let_the_model_answer(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    for reason, (behaviour, code) in REASONS.items():
        openai.reset()
        openai.always(by_model(first=behaviour, fallback=answer_as(f"{FALLBACK}-2025-04-14")))
        started = time.monotonic()
        reply = alice.ask(reason, gpt_model=FIRST)
        assert require_ok(reply) == "Drink water.", reason
        assert reply.json()["model"] == f"{FALLBACK}-2025-04-14"
        assert time.monotonic() - started < 0.9, reason  # without the pauses of repeated attempts
        assert asked(openai) == [FIRST, FALLBACK], reason
        assert {request.api_key for request in openai.requests} == {alice.key}
        call = alice.calls()[0]
        assert (call["model"], call["status"], call["fallback_reason"]) == (f"{FALLBACK}-2025-04-14", "ok", code)


def test_it_is_not_asked_if_the_model_is_not_the_reason(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    for fault, behaviour in OTHER_FAULTS.items():
        openai.reset()
        openai.always(by_model(first=behaviour))
        assert get_code(alice.ask(fault, gpt_model=FIRST)) != "ok"
        assert asked(openai) == [FIRST], fault
        assert alice.calls()[0]["fallback_reason"] is None


def test_it_is_not_asked_without_time_for_an_answer(start_server: StartServer, openai: OpenAIStandIn) -> None:
    alice = start_server(deadline_seconds=0.8).add_organization("alice", fallback_model=FALLBACK)
    openai.always(by_model(first=behaviours.respond_after(0.5, behaviours.server_error())))
    assert get_code(alice.ask(gpt_model=FIRST)) == "upstream_error"
    assert asked(openai) == [FIRST]


@pytest.mark.parametrize("model", [FALLBACK, FALLBACK.upper()])
def test_a_call_that_asks_for_the_same_model_has_no_fallback(
    alice: TestOrganization, openai: OpenAIStandIn, model: str
) -> None:
    openai.always(behaviours.unknown_model())
    assert get_code(alice.ask(gpt_model=model)) == "model_not_found"
    assert asked(openai) == [FALLBACK]


def test_the_lists_of_allowed_models_apply_to_it(
    alice: TestOrganization, server: RunningServer, openai: OpenAIStandIn
) -> None:
    openai.always(by_model(first=behaviours.unknown_model()))
    alice.change(allowed_models=[FIRST])
    assert get_code(alice.ask(gpt_model=FIRST)) == "model_not_found"
    alice.change(allowed_models=None)
    server.allow_models([FIRST])
    assert get_code(alice.ask(gpt_model=FIRST)) == "model_not_found"
    assert asked(openai) == [FIRST, FIRST]


def test_a_model_that_is_not_allowed_is_refused_without_asking_the_fallback(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    alice.change(allowed_models=[FALLBACK])
    assert get_code(alice.ask(gpt_model=FIRST)) == "model_not_allowed"
    assert openai.requests == []


def test_it_is_asked_once_and_then_the_first_model_again(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(by_model(fallback=behaviours.server_error()))
    openai.will(behaviours.server_error(503))
    assert require_ok(alice.ask(gpt_model=FIRST))
    assert asked(openai) == [FIRST, FALLBACK, FIRST]
    (call,) = alice.calls()
    assert (call["fallback_reason"], call["model"]) == (None, FIRST)


def test_the_error_is_that_of_the_first_model(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(by_model(first=behaviours.unknown_model(), fallback=behaviours.server_error()))
    error = require_error(alice.ask(gpt_model=FIRST), "model_not_found")
    assert FIRST in error["error"]
    assert asked(openai) == [FIRST, FALLBACK]


def test_a_fallback_that_reasons_gets_no_temperature(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.change(fallback_model="gpt-5-mini")
    openai.always(by_model(first=behaviours.rate_limit("60")))
    require_ok(alice.ask(gpt_model=FIRST, temperature=0.5))
    first, second = openai.requests
    assert (first.body["temperature"], "temperature" in second.body) == (0.5, False)


def test_the_cost_is_that_of_the_model_that_answered(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(by_model(first=behaviours.unknown_model(), fallback=answer_as("an-unknown-name")))
    require_ok(alice.ask(gpt_model=FIRST))
    openai.always(answer(input_tokens=1000, output_tokens=1000))
    require_ok(alice.ask("And now?", gpt_model=FALLBACK))
    direct, fallback = alice.calls()
    assert fallback["cost_usd"] == direct["cost_usd"] > 0


def test_money_is_reserved_for_the_dearer_model(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.change(fallback_model="gpt-4", monthly_budget_usd=Decimal("0.2"))
    long = answer(input_tokens=20, output_tokens=500)
    openai.always(by_model(first=behaviours.unknown_model(), fallback=long))
    require_ok(alice.ask(gpt_model=FIRST, max_tokens=500))
    assert openai.requests[-1].body["max_completion_tokens"] == 500
    assert alice.calls()[0]["cost_usd"] == pytest.approx(0.0306)  # 30 dollars per million in, 60 out


@pytest.mark.parametrize(("fallback", "budget"), [("gpt-9-new", "1"), ("gpt-4", "0.005")])
def test_a_fallback_that_the_budget_does_not_cover_is_not_asked(
    alice: TestOrganization, openai: OpenAIStandIn, fallback: str, budget: str
) -> None:
    alice.change(fallback_model=fallback, monthly_budget_usd=Decimal(budget))
    require_ok(alice.ask(gpt_model=FIRST))
    openai.always(behaviours.unknown_model())
    assert get_code(alice.ask("And now?", gpt_model=FIRST)) == "model_not_found"
    assert asked(openai) == [FIRST, FIRST]


@pytest.mark.parametrize("mode", ["async", "auto"])
def test_it_answers_deferred_calls_too(
    server_with_worker: RunningServer, openai: OpenAIStandIn, glific: GlificStandIn, mode: str
) -> None:
    alice = create_connected_organization(server_with_worker, glific)
    alice.change(fallback_model=FALLBACK)
    openai.always(by_model(first=behaviours.rate_limit("60")))
    reply = alice.ask_deferred(mode=mode, gpt_model=FIRST)
    call_id = reply.json()["call_id"]
    if mode == "async":
        assert pending_call_id(reply) == call_id
        alice.wait_for_delivery(call_id)
        assert resumed_result(glific, 21)["model"] == FALLBACK
    call = find_call(alice, call_id)
    assert (call["model"], call["fallback_reason"], call["status"]) == (FALLBACK, "rate_limited", "ok")


def test_its_answers_are_counted(start_server: StartServer, openai: OpenAIStandIn, tmp_path: Path) -> None:
    server = start_server(**metered(tmp_path))
    alice = server.add_organization("alice", fallback_model=FALLBACK)
    openai.always(by_model(first=behaviours.unknown_model()))
    require_ok(alice.ask(gpt_model=FIRST))
    require_ok(alice.ask("And now?", gpt_model=FALLBACK))
    assert scrape(server.url).total("fallback_answers_total") == 1
