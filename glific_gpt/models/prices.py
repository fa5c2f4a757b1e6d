"""What OpenAI charges for a model, from the price list that comes with the genai-prices library."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from glific_gpt.clock import now

_SAMPLE_TOKENS = 1_000
_SAMPLES_IN_A_MILLION = 1_000
_MANY = 100
"""Times the sample: more tokens than nearly every request has, and fewer than those that cost more."""


@dataclass(frozen=True)
class ModelPrices:
    """US dollars, for a million tokens unless something else is said."""

    input: Decimal
    output: Decimal


@lru_cache(maxsize=1024)
def prices_per_million(model_id: str) -> ModelPrices | None:
    """Return the model's prices, those of short requests where long ones cost more; None where unknown.

    Nothing is fetched: a price is as old as the installed library.
    """
    # A sample far below a million: some prices double for requests above 272,000 tokens.
    sample = _charges(model_id, _SAMPLE_TOKENS, _SAMPLE_TOKENS)
    if sample is None or not any(sample):
        return None
    return ModelPrices(*(charge * _SAMPLES_IN_A_MILLION for charge in sample))


def calculate_cost(model_id: str, input_tokens: int, output_tokens: int) -> Decimal | None:
    """Return what a call cost in US dollars, or None where the price is unknown.

    The library prices what it cannot price, such as minutes of audio, at nothing: for a call that used
    tokens, nothing means unknown. A fine-tune has a price only if the library knows it.
    """
    is_usual = min(input_tokens, output_tokens) >= 0 and max(input_tokens, output_tokens) <= _SAMPLE_TOKENS * _MANY
    if is_usual and (token := _per_token(model_id, now().date())):
        total = token.input * input_tokens + token.output * output_tokens
    else:
        charges = _charges(model_id, input_tokens, output_tokens)
        if charges is None or prices_per_million(model_id) is None:
            return None
        total = sum(charges, Decimal(0))
    return total if total or not (input_tokens or output_tokens) else None


@lru_cache(maxsize=1024)
def _per_token(model_id: str, _day: date) -> ModelPrices | None:
    """What each token costs on that day in a request of at most that many, if it is the same for all of them.

    The library took a twentieth of a call's time to find that out, and what it says of a model is the same all day.
    """
    few, many = (_charges(model_id, tokens, tokens) for tokens in (_SAMPLE_TOKENS, _SAMPLE_TOKENS * _MANY))
    if few is None or many is None or not any(few) or any(a * _MANY != b for a, b in zip(few, many, strict=True)):
        return None
    return ModelPrices(*(charge / _SAMPLE_TOKENS for charge in few))


def _charges(model_id: str, input_tokens: int, output_tokens: int) -> tuple[Decimal, Decimal] | None:
    from genai_prices import Usage, calc_price  # slow to import, and few processes need it

    try:
        usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
        price = calc_price(usage, model_id.strip(), provider_id="openai")
    except (LookupError, ValueError):  # no such model; a count of tokens that cannot be
        return None
    return price.input_price, price.output_price
