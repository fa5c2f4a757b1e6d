"""OpenAI's prices, from the price list of the installed genai-prices library."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from glific_gpt.clock import now
from glific_gpt.openai.chat import Tokens
from glific_gpt.openai.hosts import is_region
from glific_gpt.openai.traits import base_model

FILE_SEARCH_USD = Decimal("0.0025")
"""Price of a search in vector stores: USD 2.50 for 1,000. Source: https://developers.openai.com/api/docs/pricing"""

GIGABYTE = 2**30
FREE_STORAGE_BYTES = GIGABYTE
"""Part of an account's vector stores that OpenAI does not charge for."""
STORAGE_USD_PER_GIGABYTE = Decimal("0.10")
"""Price of vector stores for a day. Source: https://developers.openai.com/api/docs/pricing"""

SURCHARGE_SINCE = "2026-03-05"
"""First day of the models that cost more at the addresses of regions. GPT-5.4 is the first of them."""
SURCHARGE_FACTOR = Decimal("1.1")
"""Source: https://developers.openai.com/api/docs/guides/data-residency"""
_DATE = re.compile(r"-(\d{4}-\d{2}-\d{2})(?!\d)")
_WITHOUT_SURCHARGE = re.compile(r"^(?:gpt-[34]|chatgpt-4|o[134](?!\d)|gpt-5(?:\.[0-3])?(?![\d.]))")

_SAMPLE_TOKENS = 1_000
_SAMPLES_IN_A_MILLION = 1_000
_LARGE_SAMPLE_FACTOR = 100
"""Multiple of the sample. Almost all requests are smaller, and higher prices for long requests start above it."""


def surcharge(model_id: str, base_url: str | None) -> Decimal:
    """Return the factor of the prices of a model at the address of a key.

    At a region of OpenAI, newer models cost more. A model of an unknown family counts as newer, because a budget must
    be a limit.
    """
    if not is_region(base_url):
        return Decimal(1)
    name = base_model(model_id)
    dated = _DATE.search(name)
    is_older = dated[1] < SURCHARGE_SINCE if dated else _WITHOUT_SURCHARGE.match(name) is not None
    return Decimal(1) if is_older else SURCHARGE_FACTOR


@dataclass(frozen=True)
class ModelPrices:
    """Prices in US dollars, per million tokens unless stated otherwise."""

    input: Decimal
    output: Decimal


@lru_cache(maxsize=1024)
def prices_per_million(model_id: str, base_url: str | None = None) -> ModelPrices | None:
    """Return the model's prices for short requests at the address of a key, or None if they are unknown.

    Nothing is downloaded, so a price is as old as the installed library.
    """
    # The sample is far below a million tokens, because some prices double for requests above 272,000 tokens.
    sample = _charges(model_id, Tokens(_SAMPLE_TOKENS, _SAMPLE_TOKENS))
    if sample is None or not any(sample):
        return None
    factor = _SAMPLES_IN_A_MILLION * surcharge(model_id, base_url)
    return ModelPrices(*(charge * factor for charge in sample))


class QuestionPrices(NamedTuple):
    """Prices of one question, in US dollars."""

    input: Decimal
    """Highest price of the whole question."""
    output_token: Decimal
    """Price of each token of the answer."""


def question_prices(model_id: str, input_tokens: int, file_searches: int = 0) -> QuestionPrices | None:
    """Return the prices of a question of this length, or None if they are unknown.

    OpenAI charges more for input that it puts into its cache, so the price of the question is that of the dearer kind.
    """
    searches = FILE_SEARCH_USD * file_searches
    if input_tokens <= _SAMPLE_TOKENS * _LARGE_SAMPLE_FACTOR and (token := _per_token(model_id, now().date())):
        return QuestionPrices(max(token.input, token.cache_write) * input_tokens + searches, token.output)
    plain = _charges(model_id, Tokens(input_tokens, _SAMPLE_TOKENS))
    written = _charges(model_id, Tokens(input_tokens, 0, cache_writes=input_tokens))
    if plain is None or written is None or not plain[1]:
        return None
    return QuestionPrices(max(plain[0], written[0]) + searches, plain[1] / _SAMPLE_TOKENS)


def calculate_cost(model_id: str, tokens: Tokens) -> Decimal | None:
    """Return the cost of a call in US dollars, or None if the price is unknown.

    The library returns zero for usage that it cannot price, such as minutes of audio. Zero for a call that used
    tokens therefore means unknown. A fine-tune has a price only if the library knows it.
    """
    is_typical = min(tokens) >= 0 and max(tokens) <= _SAMPLE_TOKENS * _LARGE_SAMPLE_FACTOR
    if is_typical and (token := _per_token(model_id, now().date())):
        plain = tokens.input - tokens.cached - tokens.cache_writes
        total = token.input * plain + token.output * tokens.output
        total += token.cached * tokens.cached + token.cache_write * tokens.cache_writes
    else:
        charges = _charges(model_id, tokens)
        if charges is None or prices_per_million(model_id) is None:
            return None
        total = sum(charges, Decimal(0))
    if not total and (tokens.input or tokens.output):
        return None
    return total + FILE_SEARCH_USD * tokens.file_searches


def storage_cost(stored_bytes: int) -> Decimal:
    """Return the cost of an account's vector stores for a day, in US dollars."""
    return STORAGE_USD_PER_GIGABYTE * max(0, stored_bytes - FREE_STORAGE_BYTES) / GIGABYTE


class _TokenPrices(NamedTuple):
    """Prices of one token of each kind, in US dollars."""

    input: Decimal
    cached: Decimal
    cache_write: Decimal
    output: Decimal


@lru_cache(maxsize=1024)
def _per_token(model_id: str, _day: date) -> _TokenPrices | None:
    """Return the price of one token, if it is the same for small and large requests, else None.

    Cached for a day, because the library takes a twentieth of a call's time and its answer does not change in a day.
    """
    kinds = []
    for factor in (_SAMPLE_TOKENS, _SAMPLE_TOKENS * _LARGE_SAMPLE_FACTOR):
        plain = _charges(model_id, Tokens(factor, factor))
        cached = _charges(model_id, Tokens(factor, 0, cached=factor))
        written = _charges(model_id, Tokens(factor, 0, cache_writes=factor))
        if plain is None or cached is None or written is None or not any(plain):
            return None
        kinds.append(_TokenPrices(*(usd / factor for usd in (plain[0], cached[0], written[0], plain[1]))))
    small, large = kinds
    return small if small == large else None


def _charges(model_id: str, tokens: Tokens) -> tuple[Decimal, Decimal] | None:
    """Return the prices of the input and of the output, or None if they are unknown.

    The prices of search models are unknown: OpenAI also charges for each search, and the price list has no such price.
    """
    from genai_prices import Usage, calc_price  # slow to import, and only needed by processes that price calls

    if "search" in model_id.lower():
        return None
    try:
        usage = Usage(
            input_tokens=tokens.input,
            output_tokens=tokens.output,
            cache_read_tokens=tokens.cached,
            cache_write_tokens=tokens.cache_writes,
        )
        price = calc_price(usage, model_id.strip(), provider_id="openai")
    except (LookupError, ValueError):  # an unknown model; an impossible number of tokens
        return None
    return price.input_price, price.output_price
