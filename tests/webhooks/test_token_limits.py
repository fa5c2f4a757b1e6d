"""Under a budget every request to OpenAI has a token limit, which the money reserved for the call pays for."""

from decimal import Decimal

import pytest

from tests.support.openai_behaviours import answer, respond_after, unsupported
from tests.support.openai_meter import Meter
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization
from tests.webhooks.assertions import get_code, require_error, require_ok
from tests.webhooks.concurrency import call_concurrently

LARGE = Decimal(1000)


@pytest.mark.parametrize(
    ("model", "name", "default"),
    [
        ("gpt-4o", "max_completion_tokens", 2000),
        ("gpt-5", "max_completion_tokens", 8000),
        ("gpt-5-pro", "max_output_tokens", 8000),
    ],
)
def test_every_request_under_a_budget_has_a_token_limit(
    alice: TestOrganization, openai: OpenAIStandIn, model: str, name: str, default: int
) -> None:
    require_ok(alice.ask(gpt_model=model))
    alice.change(monthly_budget_usd=LARGE)
    for max_tokens in (None, 50, 20_000):
        require_ok(alice.ask(gpt_model=model, max_tokens=max_tokens))
    limits = [request.body.get(name) for request in openai.requests]
    assert limits == [None, default, 50, 20_000]


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4o-mini"])
@pytest.mark.parametrize("question", ["What is ORS?", "ओआरएस क्या है? " * 50])
def test_the_limit_is_no_larger_than_the_rest_of_the_budget(
    alice: TestOrganization, openai: OpenAIStandIn, model: str, question: str
) -> None:
    budget = Decimal("0.008") if model == "gpt-4o" else Decimal("0.0006")
    meter = Meter(100_000)
    openai.always(meter)
    alice.change(monthly_budget_usd=budget)
    codes = [get_code(alice.ask(question, gpt_model=model)) for _ in range(12)]
    assert codes[0] == "ok"
    assert codes[-1] == "budget_exceeded"
    assert codes == sorted(codes, reverse=True)  # no call is answered after the first refusal
    assert budget * Decimal("0.7") < meter.spent(alice.key) <= budget
    assert all(charge.limit is not None and charge.limit >= 16 for charge in meter.charges)


def test_calls_side_by_side_share_the_rest_of_a_budget(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(respond_after(1.0, answer(output_tokens=200)))
    alice.change(monthly_budget_usd=Decimal("0.025"))
    replies = call_concurrently(8, lambda _: alice.ask())
    assert [get_code(reply) for reply in replies] == ["ok"] * 8
    limits = [request.body["max_completion_tokens"] for request in openai.requests]
    assert min(limits) >= 200


def test_a_model_that_refuses_every_limit_is_not_asked_without_one(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    alice.change(monthly_budget_usd=LARGE)
    openai.always(unsupported("max_output_tokens"))
    error = require_error(alice.ask(gpt_model="gpt-5-pro"), "budget_exceeded")["error"]
    assert "limit" in error
    openai.always(unsupported("max_completion_tokens"))
    require_ok(alice.ask(max_tokens=70))
    assert openai.requests[-1].body["max_tokens"] == 70
    names = {"max_completion_tokens", "max_tokens", "max_output_tokens"}
    assert all(names & request.body.keys() for request in openai.requests)
    # Without a budget, a limit can be left out.
    alice.change(monthly_budget_usd=None)
    openai.always(unsupported("max_output_tokens"))
    require_ok(alice.ask(gpt_model="gpt-5-pro", max_tokens=70))
    assert not names & openai.requests[-1].body.keys()


def test_an_answer_that_the_budget_cut_off_is_an_answer_unless_it_is_useless(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    alice.change(monthly_budget_usd=Decimal("0.05"))
    openai.will(answer("Boil the", finish_reason="length"))
    assert require_ok(alice.ask(max_tokens=9000), cut_off=True) == "Boil the …"
    openai.will(answer('{"days": 9', finish_reason="length"))
    as_json = {"type": "json_object"}
    error = require_error(alice.ask(max_tokens=9000, response_format=as_json), "budget_exceeded")["error"]
    assert "budget" in error
    openai.will(answer("", finish_reason="length"))
    require_error(alice.ask(max_tokens=9000), "budget_exceeded")
    # The caller's own limit is not the budget's fault.
    openai.will(answer('{"days": 9', finish_reason="length"), answer("", finish_reason="length"))
    require_error(alice.ask(max_tokens=20, response_format=as_json), "bad_upstream_reply")
    require_error(alice.ask(max_tokens=20), "empty_answer")


def test_a_budget_too_small_for_a_useful_answer_refuses_the_call(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    alice.change(monthly_budget_usd=Decimal("0.0003"))  # less than the question
    require_error(alice.ask(), "budget_exceeded")
    alice.change(monthly_budget_usd=Decimal("0.002"))
    require_error(alice.ask(gpt_model="gpt-5"), "budget_exceeded")  # too little for reasoning
    assert openai.requests == []
    require_ok(alice.ask(gpt_model="gpt-5", max_tokens=100))  # the caller says that this is enough
    require_ok(alice.ask())


def test_a_model_that_charges_for_searches_has_no_known_price(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.change(monthly_budget_usd=LARGE)
    for model in ("gpt-4o-search-preview", "gpt-5-search-api"):
        error = require_error(alice.ask(gpt_model=model), "budget_exceeded")["error"]
        assert model in error
    assert openai.requests == []
