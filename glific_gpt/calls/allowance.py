"""The money that is reserved for one call, and the length of answers that it pays for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

from glific_gpt.errors import BadUpstreamReply, BudgetExceeded, DeadlineExceeded, GlificGptError
from glific_gpt.models import prices
from glific_gpt.models.prices import QuestionPrices
from glific_gpt.openai.chat import LongWait, OutputLimit, Tokens, Usage
from glific_gpt.openai.traits import accepts_temperature

SMALLEST_USD = Decimal("1e-9")
"""Amounts are stored in whole billionths of a dollar."""

SHARES = 10
"""A call reserves at most a tenth of the rest of the budget, so that concurrent calls can be answered too."""


class AnswerTokens(NamedTuple):
    """Lengths of answers in tokens, the model's reasoning included."""

    least: int
    """A shorter answer is not worth its price, so the call is refused."""
    short: int
    """Enough for most answers. A call reserves this much, even if it is more than its share of the rest."""
    full: int
    """Reserved without max_tokens."""


WITHOUT_REASONING = AnswerTokens(least=16, short=256, full=2000)
"""The Responses API accepts no limit below 16. The longest WhatsApp message has about 1,000 tokens in English, and up
to twice as many in Indian languages."""
WITH_REASONING = AnswerTokens(least=256, short=2000, full=8000)
"""Reasoning comes first and is charged as output. A limit that it uses up leaves an empty answer."""


def answer_tokens(model: str) -> AnswerTokens:
    """Return the usual lengths of the model's answers."""
    # Apart from a few search models, exactly the models that reason accept no temperature.
    return WITHOUT_REASONING if accepts_temperature(model) else WITH_REASONING


@dataclass(frozen=True)
class Estimate:
    """The most that a question can cost, and how long its answer should be."""

    prices: QuestionPrices
    tokens: AnswerTokens
    max_tokens: int | None

    @classmethod
    def of(
        cls,
        model: str,
        input_tokens: int,
        max_tokens: int | None,
        *,
        file_searches: int = 0,
        base_url: str | None = None,
    ) -> "Estimate":
        """`input_tokens` and `file_searches` are upper bounds, and `base_url` is the address of the key.

        Raises BudgetExceeded if the model's price is not known.
        """
        found = prices.question_prices(model, input_tokens, file_searches)
        if found is None:
            message = (
                f"The price of {model} is not known, so it cannot be used under a monthly budget. Choose another model."
            )
            raise BudgetExceeded(message).naming("gpt_model")
        factor = prices.surcharge(model, base_url)
        charged = QuestionPrices(*(usd * factor for usd in found))
        return cls(charged, answer_tokens(model), max_tokens)

    @property
    def wanted(self) -> int:
        return self.max_tokens or self.tokens.full

    def affordable_tokens(self, usd: Decimal) -> int:
        """Return how many output tokens this amount pays for after the question, at most `wanted`.

        Raises BudgetExceeded if they are too few for an answer.
        """
        affordable = int((usd - self.prices.input) // self.prices.output_token)
        if affordable < min(self.tokens.least, self.wanted):
            raise BudgetExceeded
        return min(affordable, self.wanted)

    def share_of(self, rest: Decimal) -> Decimal:
        """Return the amount to reserve if `rest` is left of the budget. Raises BudgetExceeded."""
        affordable = self.affordable_tokens(rest)
        everything = int((rest - self.prices.input) // self.prices.output_token)
        # A length that the caller chose is not shortened as long as it is usual and fits.
        usual = max(self.tokens.short, min(self.max_tokens or 0, self.tokens.full))
        tokens = min(affordable, max(usual, everything // SHARES))
        amount = self.prices.input + tokens * self.prices.output_token
        return min(rest, amount.quantize(SMALLEST_USD, ROUND_CEILING))


@dataclass
class Allowance:
    """The money that is reserved for a call. Every question of the call is paid from it."""

    reserved: Decimal
    base_url: str | None = None
    """The address of the key, on which prices depend."""
    left: Decimal = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.reserved

    @property
    def spent(self) -> Decimal:
        """The charges of OpenAI, and the highest possible charges of questions without a readable answer."""
        return self.reserved - self.left

    def limit(self, model: str, input_tokens: int, max_tokens: int | None, *, file_searches: int = 0) -> OutputLimit:
        """Return the longest answer that the rest pays for. Raises BudgetExceeded if that is too short."""
        estimate = Estimate.of(model, input_tokens, max_tokens, file_searches=file_searches, base_url=self.base_url)
        tokens = estimate.affordable_tokens(self.left)
        return OutputLimit(tokens, is_shortened=tokens < estimate.wanted)

    @contextmanager
    def charge(self, model: str, usage: Usage) -> Iterator[None]:
        """Subtract the cost of the question that is asked inside the block from what is left."""
        before, tokens, was_incomplete = self.left, usage.tokens, usage.is_incomplete
        # While there is no answer, and if there never is one: nobody knows yet how much OpenAI charges.
        self.left = Decimal(0)
        is_free = False
        try:
            yield
        except GlificGptError as error:
            is_free = not _is_possibly_charged(error)
            raise
        except LongWait:
            is_free = True
            raise
        finally:
            used = usage.tokens.minus(tokens)
            is_known = usage.is_incomplete == was_incomplete and any(used)
            if is_known or (is_free and not any(used)):
                self.left = before - (self._cost(model, usage, used) if any(used) else 0)

    def _cost(self, model: str, usage: Usage, used: Tokens) -> Decimal:
        for name in filter(None, (usage.model, model)):
            usd = prices.calculate_cost(name, used)
            if usd is not None:
                return usd * prices.surcharge(name, self.base_url)
        return self.reserved  # not reached: a question to a model without a price is refused


def _is_possibly_charged(error: GlificGptError) -> bool:
    """Return whether OpenAI may have charged for an answer that did not arrive."""
    return error.was_asked if isinstance(error, DeadlineExceeded) else isinstance(error, BadUpstreamReply)
