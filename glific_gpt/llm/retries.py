"""When OpenAI is asked once more: only for what passes by itself, and only inside the deadline."""

import random

from glific_gpt.clock import Deadline
from glific_gpt.llm.failures import Refusal

MAX_TRIES = 3
MAX_PATIENT_TRIES = 8
PATIENT_SECONDS = 10.0
"""With more time left nobody is waiting at the other end, and the limits that OpenAI sets pass within a minute."""
BACKOFF_SECONDS = 0.25
SHORTEST_ANSWER_SECONDS = 0.5
"""Less than this is no time for a model to answer in, so there is no use in asking."""


def pause(tries: int, refusal: Refusal | None, deadline: Deadline) -> float | None:
    """Seconds to wait before the next try, after that many; None to give up. No refusal: nothing was heard."""
    most = MAX_PATIENT_TRIES if deadline.remaining() > PATIENT_SECONDS else MAX_TRIES
    if tries >= most or (refusal is not None and not refusal.passes):
        return None
    asked = refusal.retry_after if refusal else None
    wait = asked if asked is not None else BACKOFF_SECONDS * 2 ** (tries - 1) * random.uniform(0.5, 1.0)  # noqa: S311
    return wait if wait + SHORTEST_ANSWER_SECONDS < deadline.remaining() else None
