"""Prices: exact if they are known, None and never zero if they are not."""

from decimal import Decimal

import genai_prices
import pytest

from glific_gpt.models.prices import ModelPrices, calculate_cost, prices_per_million, question_prices, surcharge
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


def test_input_in_openais_cache_has_its_own_price() -> None:
    assert calculate_cost("gpt-4o", Tokens(1000, 100, cached=800)) == Decimal("0.0025")
    assert calculate_cost("gpt-4o", Tokens(1000, 100)) == Decimal("0.0035")
    # Writing into the cache costs more with newer models, and nothing more with others.
    assert calculate_cost("gpt-6-sol", Tokens(1000, 0, cache_writes=1000)) == Decimal("0.0025")
    assert calculate_cost("gpt-4o", Tokens(1000, 0, cache_writes=1000)) == Decimal("0.0025")


@pytest.mark.parametrize(
    "model_id", ["gpt-4o", "gpt-4o-mini", "gpt-5-pro", "o1-pro", "gpt-6-sol", "gpt-5.4", "gpt-3.5-turbo"]
)
@pytest.mark.parametrize("tokens", [Tokens(1000, 50, 800, 100), Tokens(500_000, 100, 300_000), Tokens(3, 2, 3, 0)])
def test_the_cost_of_cached_input_is_that_of_the_price_list(model_id: str, tokens: Tokens) -> None:
    usage = genai_prices.Usage(
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        cache_read_tokens=tokens.cached,
        cache_write_tokens=tokens.cache_writes,
    )
    expected = genai_prices.calc_price(usage, model_id, provider_id="openai").total_price
    assert calculate_cost(model_id, tokens) == expected
    question = question_prices(model_id, tokens.input)
    assert question is not None
    assert question.input >= expected - tokens.output * question.output_token


@pytest.mark.parametrize("model_id", ["gpt-4o-search-preview", "gpt-5-search-api-2025-10-14", "o3-deep-research"])
def test_the_price_of_a_model_that_charges_for_searches_is_unknown(model_id: str) -> None:
    assert calculate_cost(model_id, Tokens(1000, 100)) is None
    assert prices_per_million(model_id) is None
    assert question_prices(model_id, 1000) is None


def test_searches_in_documents_are_a_part_of_the_cost() -> None:
    assert calculate_cost("gpt-4o-mini", Tokens(1_234, 567, file_searches=2)) == Decimal("0.0055253")
    assert calculate_cost("no-such-model", Tokens(10, 10, file_searches=1)) is None
    plain, searched = question_prices("gpt-4o", 1000), question_prices("gpt-4o", 1000, 1)
    assert plain
    assert searched == (plain.input + Decimal("0.0025"), plain.output_token)


OLDER = (
    *("gpt-4o", "gpt-4.1-mini", "o3", "o4-mini", "gpt-5", "gpt-5-mini", "gpt-5.2-pro", "gpt-5.3-codex"),
    *("gpt-4o-mini-2024-07-18", "ft:gpt-4o-mini-2024-07-18:ngo::abc123", "gpt-5.9-2026-03-04"),
)
NEWER = ("gpt-5.4", "gpt-5.4-mini", "gpt-5.10", "gpt-6", "o5", "a-new-family", "gpt-5.4-2026-03-05", "gpt-5-2026-03-05")
INDIA = "https://in.api.openai.com/v1"


def test_newer_models_cost_more_at_the_address_of_a_region() -> None:
    assert {surcharge(model, INDIA) for model in NEWER} == {Decimal("1.1")}
    assert {surcharge(model, INDIA) for model in OLDER} == {Decimal(1)}
    elsewhere = (None, "https://api.openai.com/v1", "https://ngo.openai.azure.com/openai/v1")
    assert {surcharge(model, base_url) for model in NEWER for base_url in elsewhere} == {Decimal(1)}
