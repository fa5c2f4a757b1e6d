"""Ids of calls: in the order of time, so that the newest lie side by side in the database's index of all of them."""

import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from glific_gpt.clock import now
from glific_gpt.functions.contract import FUNCTION_NAME
from glific_gpt.models import prices
from glific_gpt.openai.chat import Usage

ROW_GRACE_PERIOD = timedelta(seconds=2)
"""How long after its deadline a call may still be on its way to its row."""

UNKNOWN_FUNCTION = "?"
"""In the place of a function's name that no function can have."""


def new_call_id() -> str:
    """Milliseconds since 1970 and 48 random bits, in hexadecimal, as UUID version 7 has it (RFC 9562)."""
    return f"call_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(6)}"


@dataclass
class CallContext:
    """What is known of a call while it runs."""

    organization_id: int
    function: str
    started_at: datetime = field(default_factory=now)
    call_id: str = field(default_factory=new_call_id)
    model_asked: str | None = None
    contact_id: int | None = None
    flow_id: int | None = None
    usage: Usage = field(default_factory=Usage)

    def __post_init__(self) -> None:
        if not FUNCTION_NAME.fullmatch(self.function):  # an address can hold anything, of any length
            self.function = UNKNOWN_FUNCTION

    def cost(self) -> Decimal | None:
        """US dollars so far, at the price of the model used, else of the one asked; None without either."""
        for model in filter(None, (self.usage.model, self.model_asked)):
            usd = prices.cost(model, self.usage.input_tokens, self.usage.output_tokens)
            if usd is not None:
                return usd
        return None
