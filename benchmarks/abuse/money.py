"""An attack on a budget: calls side by side, whose answers cost more than the estimate."""

import asyncio

from benchmarks.abuse.setting import SPENDER, Measured, Setting, key_of
from benchmarks.webhook_calls import send_together
from tests.support.openai_answers import answer
from tests.support.openai_meter import Meter
from tests.support.openai_stand_in import OpenAIStandIn

CALLS = 100
WANTED_TOKENS = 16_384
"""The most that the model can write. A request without a limit of tokens gets all of them."""


def measure_budget(setting: Setting) -> Measured:
    """Send a hundred calls at once without `max_tokens` under a budget of a few of them."""
    meter = Meter(WANTED_TOKENS, seconds=0.5)
    with OpenAIStandIn() as openai:
        openai.always(answer("ok"))
        openai.for_key(key_of(SPENDER), meter)
        with setting.observed(openai.base_url) as measured:
            measured.add(asyncio.run(send_together([setting.callers[SPENDER]], CALLS)))
        measured.spent_usd = meter.spent(key_of(SPENDER))
    return measured
