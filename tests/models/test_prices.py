"""Prices: exact if they are known, None and never zero if they are not."""

from decimal import Decimal

import genai_prices
import pytest

from glific_gpt.models.prices import ModelPrices, calculate_cost, prices_per_million
from glific_gpt.openai.chat import Tokens

UNKNOWN = [
    "gpt-99",
    "gpt-4o-by-nobody",
    "ft:gpt-4.1:org::abc",
    "whisper-1",
    "omni-moderation-latest",
    "",
    "ñ\n",
]


def test_prices_are_per_million_tokens() -> None:
    assert prices_per_million("gpt-4o") == ModelPrices(input=Decimal("2.5"), output=Decimal(10))


def test_case_and_white_space_are_ignored() -> None:
    assert prices_per_million(" GPT-4o\n") == prices_per_million("gpt-4o")


def test_the_price_is_that_of_short_requests() -> None:
    assert prices_per_million("gpt-5.4") == ModelPrices(input=Decimal("2.5"), output=Decimal(15))


def test_the_cost_of_a_call_is_exact() -> None:
    assert calculate_cost("gpt-4o-mini", Tokens(1_234, 567)) == Decimal("0.0005253")


def test_a_long_request_has_its_own_price() -> None:
    assert calculate_cost("gpt-5.4", Tokens(1_000_000, 0)) == Decimal(5)


@pytest.mark.parametrize("model_id", ["gpt-4o", "gpt-4o-mini-2024-07-18", "gpt-5.4", "o3", "gpt-5-pro"])
@pytest.mark.parametrize("tokens", [(1, 0), (25, 17), (100_000, 99_999), (100_001, 1), (271_999, 3), (272_001, 70_000)])
def test_the_cost_is_that_of_the_library(model_id: str, tokens: tuple[int, int]) -> None:
    usage = genai_prices.Usage(input_tokens=tokens[0], output_tokens=tokens[1])
    assert (
        calculate_cost(model_id, Tokens(*tokens))
        == genai_prices.calc_price(usage, model_id, provider_id="openai").total_price
    )


def test_a_call_without_tokens_costs_nothing() -> None:
    assert calculate_cost("gpt-4o", Tokens(0, 0)) == Decimal(0)


def test_the_cost_of_a_negative_number_of_tokens_is_none() -> None:
    assert calculate_cost("gpt-4o", Tokens(-1, 1)) is None


@pytest.mark.parametrize("model_id", UNKNOWN)
def test_an_unknown_price_is_none(model_id: str) -> None:
    assert prices_per_million(model_id) is None
    assert calculate_cost(model_id, Tokens(100, 100)) is None
    assert calculate_cost(model_id, Tokens(0, 0)) is None


def test_a_fine_tune_in_the_price_list_has_its_own_price() -> None:
    prices = prices_per_million("ft:gpt-4o-mini-2024-07-18:org::abc")
    base = prices_per_million("gpt-4o-mini-2024-07-18")
    assert prices is not None
    assert base is not None
    assert prices.input > base.input
