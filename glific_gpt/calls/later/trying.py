"""How long Glific is told: while a flow may still be on its way to waiting, and while Glific is in trouble."""

import random
from datetime import timedelta

from glific_gpt.glific.resume import Reply, Verdict

NOT_WAITING_FOR = timedelta(seconds=60)
"""How long after its webhook a flow may reasonably still be on its way to the node that waits."""

IN_TROUBLE_FOR = timedelta(minutes=15)
"""How long Glific may be away. Most flows have gone on by then."""

FIRST_PAUSE = 0.5
LONGEST_PAUSE = {Reply.NOT_WAITING: 4.0, Reply.TRY_LATER: 30.0}
PATIENCE = {Reply.NOT_WAITING: NOT_WAITING_FOR, Reply.TRY_LATER: IN_TROUBLE_FOR}


def pause(verdict: Verdict, tries: int, tried_for: timedelta) -> float | None:
    """Seconds until Glific is told again, after so many tries in that time; None when that is the end of it."""
    patience = PATIENCE.get(verdict.reply)
    if patience is None or tried_for > patience:
        return None
    if verdict.retry_after is not None:
        return max(verdict.retry_after, FIRST_PAUSE)
    doubled: float = FIRST_PAUSE * 2 ** min(tries - 1, 10)
    return min(doubled, LONGEST_PAUSE[verdict.reply]) * random.uniform(0.8, 1.0)  # noqa: S311 - spreads load
