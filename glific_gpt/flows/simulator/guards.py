"""Glific's guards against conversations without end: what is dropped, what ends a flow."""

from collections import Counter

from glific_gpt.flows.simulator.context import Context
from glific_gpt.flows.simulator.event_log import Aborted, Hung

DUPLICATE_SECONDS = 60
"""glific/glific: the period in which Flows.Webhook's job is unique."""
LOOP_SECONDS = 6 * 3600
SAME_TEXTS = 3
REMEMBERED = 12
"""glific/glific: Flows.FlowContext keeps so many messages to compare with."""
VISITS = 6
CALLS_IN_A_ROW = 20
"""This guard is ours: in Glific such a flow goes on and on."""


class Visits:
    """How often one run, which is one message or wake-up, has come to each node."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[int, str]] = Counter()
        self.entered: set[str] = set()
        """The flows that the run has entered."""

    def count(self, context: Context) -> None:
        """Raises Aborted at the seventh time (glific/glific: Flows.Node.check_infinite_loop)."""
        here = context.id, context.node.uuid
        self._counts[here] += 1
        if self._counts[here] > VISITS:
            raise Aborted(f"The flow goes round without waiting: Glific ends it at node {context.node.uuid}.")


class Calls:
    """The webhook calls of a conversation."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, str, str], float] = {}
        self._in_a_row = 0

    def begin_anew(self) -> None:
        """A person has written, or a wait is over."""
        self._in_a_row = 0

    def check(self, context: Context, url: str, action_uuid: str) -> None:
        """Raises Hung for a call that was made in the last minute; its body does not count."""
        this, now = (context.id, url, action_uuid), context.world.clock()
        before = self._made.get(this)
        if before is not None and now - before < DUPLICATE_SECONDS:
            raise Hung(
                f"The webhook {url} was called less than 60 seconds ago, so Glific drops this call "
                "and the conversation hangs: add a counter to its address."
            )
        self._in_a_row += 1
        if self._in_a_row > CALLS_IN_A_ROW:
            raise Hung(f"The flow calls {url} again and again without waiting for anybody, and would do so for ever.")
        self._made[this] = now


def check_text(context: Context, body: str) -> None:
    """Raises Aborted for the fourth time that one node sends one text within six hours."""
    now, here = context.world.clock(), context.node.uuid
    recent = [each for each in context.sent if now - each[0] < LOOP_SECONDS]
    if sum(each[1:] == (here, body) for each in recent) >= SAME_TEXTS:
        raise Aborted(f'One node sends "{body[:60]}" more than 3 times in 6 hours: Glific takes it for a loop.')
    context.sent = [*recent, (now, here, body)][-REMEMBERED:]
