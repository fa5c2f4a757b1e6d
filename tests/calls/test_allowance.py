"""Allowances: the length of answers that an amount pays for, and what a call has spent."""

import random
from contextlib import suppress
from decimal import Decimal

import pytest

from glific_gpt.calls.allowance import Allowance, Estimate
from glific_gpt.calls.context import CallContext
from glific_gpt.errors import BadUpstreamReply, BudgetExceeded, DeadlineExceeded, GlificGptError, InvalidApiKey
from glific_gpt.models import prices
from glific_gpt.models.prices import calculate_cost
from glific_gpt.openai.chat import Tokens, Usage

MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-5", "gpt-5.4", "gpt-5-pro", "o1", "gpt-3.5-turbo")


def test_no_question_costs_more_than_the_reserved_amount() -> None:
    chance = random.Random(8)  # noqa: S311 - the same cases in each run
    for _ in range(500):
        model, input_tokens = chance.choice(MODELS), chance.choice([1, 80, 5000, 90_000, 150_000, 300_000])
        max_tokens = chance.choice([None, 1, 16, 300, 5000])
        rest = Decimal(chance.randint(1, 10**9)) / 10 ** chance.randint(9, 12)
        try:
            amount = Estimate.of(model, input_tokens, max_tokens).share_of(rest)
            limit = Allowance(amount).limit(model, input_tokens, max_tokens)
        except BudgetExceeded:
            continue
        assert amount <= rest
        cost = calculate_cost(model, Tokens(input_tokens, limit.tokens))
        assert cost is not None
        assert cost <= amount
        assert limit.tokens <= (max_tokens or 10_000)


def test_a_call_leaves_a_part_of_the_rest_for_others() -> None:
    estimate = Estimate.of("gpt-4o", 100, None)
    price = estimate.prices
    for tokens, reserved in ((10, None), (16, 16), (200, 200), (1000, 256), (4000, 400), (8000, 800), (10**6, 2000)):
        rest = price.input + tokens * price.output_token
        if reserved is None:
            with pytest.raises(BudgetExceeded):
                estimate.share_of(rest)
        else:
            assert estimate.share_of(rest) == price.input + reserved * price.output_token


def test_a_usual_length_that_the_caller_chose_is_not_shortened() -> None:
    price = Estimate.of("gpt-4o", 100, None).prices
    rest = price.input + 4000 * price.output_token
    for max_tokens, reserved in ((5, 5), (500, 500), (2000, 2000), (3900, 2000)):
        amount = Estimate.of("gpt-4o", 100, max_tokens).share_of(rest)
        assert amount == price.input + reserved * price.output_token


def ask(allowance: Allowance, usage: Usage, output_tokens: int, error: GlificGptError | None = None) -> None:
    """Ask one question, which uses so many tokens and then fails with the error, if any."""
    with allowance.charge("gpt-4o", usage):
        assert allowance.left == 0
        usage.tokens = usage.tokens.plus(Tokens(output=output_tokens))
        if error:
            raise error


def test_each_question_of_a_call_is_paid_from_its_allowance() -> None:
    allowance, usage = Allowance(Decimal("0.02")), Usage()
    ask(allowance, usage, 500)
    ask(allowance, usage, 300)
    assert (allowance.spent, allowance.left) == (Decimal("0.008"), Decimal("0.012"))
    with pytest.raises(InvalidApiKey):
        ask(allowance, usage, 0, InvalidApiKey())
    with pytest.raises(DeadlineExceeded):
        ask(allowance, usage, 0, DeadlineExceeded(was_asked=False))
    with pytest.raises(BadUpstreamReply):  # the reply had the number of tokens, but no answer
        ask(allowance, usage, 100, BadUpstreamReply())
    assert allowance.spent == Decimal("0.009")


@pytest.mark.parametrize("error", [None, DeadlineExceeded(), BadUpstreamReply()])
def test_a_question_without_a_known_cost_spends_everything(error: GlificGptError | None) -> None:
    allowance, usage = Allowance(Decimal("0.02")), Usage()
    ask(allowance, usage, 500)
    with suppress(DeadlineExceeded, BadUpstreamReply):
        ask(allowance, usage, 0, error)
    assert (allowance.spent, allowance.left) == (Decimal("0.02"), Decimal(0))
    with pytest.raises(BudgetExceeded):
        allowance.limit("gpt-4o", 1, None)


def test_an_answer_that_ignores_its_limit_spends_more_than_the_allowance() -> None:
    allowance = Allowance(Decimal("0.001"))
    ask(allowance, Usage(), 500)
    assert allowance.spent == Decimal("0.005")


def test_searches_are_a_part_of_the_money_that_a_question_needs() -> None:
    plain, searched = (Estimate.of("gpt-4o", 1000, 100, file_searches=number) for number in (0, 1))
    assert searched.share_of(Decimal(1)) - plain.share_of(Decimal(1)) == Decimal("0.0025")
    allowance = Allowance(Decimal("0.0042"))
    assert allowance.limit("gpt-4o", 1000, 100).tokens == 100
    assert allowance.limit("gpt-4o", 100, 100, file_searches=1).is_shortened is False
    with pytest.raises(BudgetExceeded):
        allowance.limit("gpt-4o", 1000, 100, file_searches=1)


def test_the_surcharge_of_a_region_is_part_of_estimates_and_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "surcharge", lambda _model, base_url: Decimal(2 if base_url else 1))
    plain, regional = (Estimate.of("gpt-4o", 100, 100, base_url=url).prices for url in (None, "https://a"))
    assert regional == tuple(2 * usd for usd in plain)
    spent = []
    for base_url in (None, "https://a"):
        allowance, usage = Allowance(Decimal("0.02"), base_url), Usage()
        with allowance.charge("gpt-4o", usage):
            usage.tokens = Tokens(100, 100)
        spent.append(allowance.spent)
    assert spent[1] == 2 * spent[0]
    context = CallContext(1, "parse_via_chat_gpt", model_asked="gpt-4o", base_url="https://a", usage=usage)
    assert context.cost() == spent[1]
