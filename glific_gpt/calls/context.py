"""The mutable state of one call, and its id."""

import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from glific_gpt.calls.allowance import Allowance
from glific_gpt.calls.memory import Memory
from glific_gpt.clock import now
from glific_gpt.functions.contract import FUNCTION_NAME
from glific_gpt.models import prices
from glific_gpt.openai.chat import Usage

ROW_GRACE_PERIOD = timedelta(seconds=2)
"""Added to a call's deadline before its row counts as abandoned: the final write takes a moment."""

UNKNOWN_FUNCTION = "?"
"""Recorded instead of a function name that is not valid."""


def new_call_id() -> str:
    """Return `call_`, milliseconds since 1970 and 48 random bits in hexadecimal, as in UUID version 7 (RFC 9562).

    Ids in the order of time keep the newest rows side by side in the index. With random ids, SQLite read and wrote
    one page for each call once the table held ten million rows.
    """
    return f"call_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(6)}"


@dataclass
class CallContext:
    """Facts about a call that become known while it runs."""

    organization_id: int
    function: str
    started_at: datetime = field(default_factory=now)
    call_id: str = field(default_factory=new_call_id)
    mode: str | None = None
    is_test: bool = False
    """True for a question that the console asks."""
    model_asked: str | None = None
    answer_key: str | None = None
    """Key of the response that repeats parsed_msg, once the function is known."""
    base_url: str | None = None
    """The address of the organization's key; None is the server's own."""
    fallback_model: str | None = None
    """The model that OpenAI is asked if it does not let the first one answer."""
    contact_id: int | None = None
    flow_id: int | None = None
    usage: Usage = field(default_factory=Usage)
    cause: str | None = None
    """Why OpenAI gave no answer."""
    allowance: Allowance | None = None
    """The money that is reserved for the call under a budget."""
    memory: Memory | None = None
    """The conversation that the call continues or begins; None for a call without memory."""
    _monotonic_start: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        if not FUNCTION_NAME.fullmatch(self.function):  # a URL can hold any text, of any length
            self.function = UNKNOWN_FUNCTION

    def duration_ms(self) -> int:
        """Return the milliseconds since the call began in this process. Changes of the system's clock do not count."""
        return round((time.monotonic() - self._monotonic_start) * 1000)

    def cost(self) -> Decimal | None:
        """Return the cost so far in US dollars; None if no price is known.

        The price is that of the model that answered, else that of the model that was asked.
        """
        if not self.usage.has_prices:
            return None
        # OpenAI reports the id with a date, which the price list may not know yet.
        asked = self.usage.fallback.model if self.usage.fallback else self.model_asked
        for model in filter(None, (self.usage.model, asked)):
            usd = prices.calculate_cost(model, self.usage.tokens)
            if usd is not None:
                return usd * prices.surcharge(model, self.base_url)
        return None
