"""OpenAI's prices, from the price list of the installed genai-prices library."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from glific_gpt.clock import now

_SAMPLE_TOKENS = 1_000
_SAMPLES_IN_A_MILLION = 1_000
_LARGE_SAMPLE_FACTOR = 100
"""Multiple of the sample. Almost all requests are smaller, and higher prices for long requests start above it."""


@dataclass(frozen=True)
class ModelPrices:
    """Prices in US dollars, per million tokens unless stated otherwise."""

    input: Decimal
    output: Decimal


@lru_cache(maxsize=1024)
def prices_per_million(model_id: str) -> ModelPrices | None:
    """Return the model's prices for short requests, or None if they are unknown.

    Nothing is downloaded, so a price is as old as the installed library.
    """
    # The sample is far below a million tokens, because some prices double for requests above 272,000 tokens.
    sample = _charges(model_id, _SAMPLE_TOKENS, _SAMPLE_TOKENS)
    if sample is None or not any(sample):
        return None
    return ModelPrices(*(charge * _SAMPLES_IN_A_MILLION for charge in sample))


class QuestionPrices(NamedTuple):
    """Prices of one question, in US dollars."""

    input: Decimal
    """Price of the whole question."""
    output_token: Decimal
    """Price of each token of the answer."""


def question_prices(model_id: str, input_tokens: int) -> QuestionPrices | None:
    """Return the prices of a question of this length, or None if they are unknown.

    The prices of search models are unknown: OpenAI also charges for each search, and the price list has no such price.
    """
    if "search" in model_id:
        return None
    if input_tokens <= _SAMPLE_TOKENS * _LARGE_SAMPLE_FACTOR and (token := _per_token(model_id, now().date())):
        return QuestionPrices(token.input * input_tokens, token.output)
    charges = _charges(model_id, input_tokens, _SAMPLE_TOKENS)
    if charges is None or not charges[1]:
        return None
    return QuestionPrices(charges[0], charges[1] / _SAMPLE_TOKENS)


def calculate_cost(model_id: str, input_tokens: int, output_tokens: int) -> Decimal | None:
    """Return the cost of a call in US dollars, or None if the price is unknown.

    The library returns zero for usage that it cannot price, such as minutes of audio. Zero for a call that used
    tokens therefore means unknown. A fine-tune has a price only if the library knows it.
    """
    is_typical = (
        min(input_tokens, output_tokens) >= 0
        and max(input_tokens, output_tokens) <= _SAMPLE_TOKENS * _LARGE_SAMPLE_FACTOR
    )
    if is_typical and (token := _per_token(model_id, now().date())):
        total = token.input * input_tokens + token.output * output_tokens
    else:
        charges = _charges(model_id, input_tokens, output_tokens)
        if charges is None or prices_per_million(model_id) is None:
            return None
        total = sum(charges, Decimal(0))
    return total if total or not (input_tokens or output_tokens) else None


@lru_cache(maxsize=1024)
def _per_token(model_id: str, _day: date) -> ModelPrices | None:
    """Return the price of one token, if it is the same for small and large requests, else None.

    Cached for a day, because the library takes a twentieth of a call's time and its answer does not change in a day.
    """
    small, large = (
        _charges(model_id, tokens, tokens) for tokens in (_SAMPLE_TOKENS, _SAMPLE_TOKENS * _LARGE_SAMPLE_FACTOR)
    )
    if small is None or large is None or not any(small):
        return None
    if any(a * _LARGE_SAMPLE_FACTOR != b for a, b in zip(small, large, strict=True)):
        return None
    return ModelPrices(*(charge / _SAMPLE_TOKENS for charge in small))


def _charges(model_id: str, input_tokens: int, output_tokens: int) -> tuple[Decimal, Decimal] | None:
    from genai_prices import Usage, calc_price  # slow to import, and only needed by processes that price calls

    try:
        usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
        price = calc_price(usage, model_id.strip(), provider_id="openai")
    except (LookupError, ValueError):  # an unknown model; an impossible number of tokens
        return None
    return price.input_price, price.output_price
