"""A behaviour of the OpenAI stand-in that honours token limits, and records what OpenAI would charge."""

import json
import threading
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from glific_gpt.models.prices import calculate_cost
from glific_gpt.openai.chat import Tokens
from tests.support.openai_answers import answer
from tests.support.openai_exchange import Exchange

LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
TOKENS_PER_MESSAGE = 4


class Charge(NamedTuple):
    """The charge for one answered request."""

    api_key: str
    model: str
    limit: int | None
    """The token limit of the request; None if it has none."""
    input_tokens: int
    output_tokens: int

    @property
    def usd(self) -> Decimal:
        return calculate_cost(self.model, Tokens(self.input_tokens, self.output_tokens)) or Decimal(0)


@dataclass
class Meter:
    """A model that writes `wanted_tokens`, or as many as the request allows, and is charged for them."""

    wanted_tokens: int
    seconds: float = 0.0
    """How long an answer takes."""
    bytes_per_token: int = 1
    """1 is the worst case: no token is shorter than a byte. English has about four."""
    charges: list[Charge] = field(default_factory=list)
    _connections: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, exchange: Exchange) -> None:
        self.answer(exchange, self.wanted_tokens, self.seconds)

    def answer(self, exchange: Exchange, wanted_tokens: int, seconds: float) -> None:
        """Answer a request with so many tokens, or as many as it allows."""
        connections = self._connections
        exchange.pause(seconds)
        charge = self.record(exchange, wanted_tokens, connections)
        answer(
            "Boil the water.",
            finish_reason="length" if charge.output_tokens < wanted_tokens else "stop",
            input_tokens=charge.input_tokens,
            output_tokens=charge.output_tokens,
        )(exchange)

    def record(self, exchange: Exchange, wanted_tokens: int, connections: int | None = None) -> Charge:
        """Charge for an answer, unless its connection is lost."""
        charge = self._measure(exchange, wanted_tokens)
        with self._lock:
            if connections in {None, self._connections}:
                self.charges.append(charge)
        return charge

    def lose_connections(self) -> None:
        """Charge none of the requests in progress. OpenAI stops when a connection closes."""
        with self._lock:
            self._connections += 1

    def spent(self, api_key: str) -> Decimal:
        """Return the US dollars charged to a key."""
        with self._lock:
            return sum((charge.usd for charge in self.charges if charge.api_key == api_key), Decimal(0))

    def _measure(self, exchange: Exchange, wanted_tokens: int) -> Charge:
        body: dict[str, Any] = exchange.received.body
        texts = [body.get("instructions"), body.get("input"), body.get("response_format"), body.get("text")]
        texts += [message["content"] for message in body.get("messages", [])]
        used = [text if isinstance(text, str) else json.dumps(text, ensure_ascii=False) for text in texts if text]
        input_bytes = sum(len(text.encode()) for text in used)
        limit = next((body[name] for name in LIMITS if name in body), None)
        return Charge(
            exchange.received.api_key or "",
            exchange.received.model,
            limit,
            input_bytes // self.bytes_per_token + TOKENS_PER_MESSAGE * (len(used) + 1),
            min(wanted_tokens, limit or wanted_tokens),
        )
