"""Glific's guards against endless conversations: calls that it drops, and flows that it ends."""

import time
from collections import Counter

from glific_gpt.flows.simulator.context import Context
from glific_gpt.flows.simulator.event_log import FlowAborted, FlowStuck

DUPLICATE_CALL_SECONDS = 60
"""glific/glific: the job of Flows.Webhook is unique for this time."""
REPEATED_TEXT_SECONDS = 6 * 3600
MAX_REPEATED_TEXTS = 4
RECENT_MESSAGES = 12
"""glific/glific: Flows.FlowContext keeps this number of messages for the comparison."""
MAX_VISITS = 6
MAX_RUN_SECONDS = 5.0
"""CPU time of one run. A run takes milliseconds, and a hostile flow could take hours."""
MAX_CALLS_WITHOUT_WAIT = 20
"""This guard is ours. In Glific such a flow runs for ever."""


class VisitGuard:
    """Counts the visits of each node in one run, which starts with a message or a time-out."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[int, str]] = Counter()
        self.entered_flows: set[str] = set()
        """The uuids of the flows that the run has entered."""
        self._started = time.thread_time()

    def count_visit(self, context: Context) -> None:
        """Raise FlowAborted at the seventh visit of a node (glific/glific: Flows.Node.check_infinite_loop).

        Raises FlowStuck if the run computes for too long.
        """
        if time.thread_time() - self._started > MAX_RUN_SECONDS:
            raise FlowStuck("This flow computes for too long. The simulation stops here.")
        key = context.id, context.node.uuid
        self._counts[key] += 1
        if self._counts[key] > MAX_VISITS:
            raise FlowAborted(
                f"The flow runs in a loop without waiting. Glific ends it at node {context.node.uuid}. "
                "Add a step that waits for a reply."
            )


class CallGuard:
    """Remembers the webhook calls of a conversation."""

    def __init__(self) -> None:
        self._last_calls: dict[tuple[int, str, str], float] = {}
        self._calls_without_wait = 0

    def reset_streak(self) -> None:
        """Reset the count, because the contact has replied or a wait has timed out."""
        self._calls_without_wait = 0

    def check_call(self, context: Context, url: str, action_uuid: str) -> None:
        """Record a call. Raise FlowStuck if the action called this address within the last minute.

        The body is not compared, as in Glific.
        """
        key, now = (context.id, url, action_uuid), context.simulation.clock()
        last_call = self._last_calls.get(key)
        if last_call is not None and now - last_call < DUPLICATE_CALL_SECONDS:
            raise FlowStuck(
                f"The webhook {url} was called less than 60 seconds ago. Glific drops this call, and the "
                "conversation stops. Add a counter to the address."
            )
        self._calls_without_wait += 1
        if self._calls_without_wait > MAX_CALLS_WITHOUT_WAIT:
            raise FlowStuck(f"The flow calls {url} again and again without waiting. Add a step that waits for a reply.")
        self._last_calls[key] = now


def is_repeated_too_often(context: Context, text: str) -> bool:
    """Return whether one node sends a text for the fifth time within six hours. Glific does not send it then.

    `text` is the address of the attachment for a message without text (glific/glific: FlowContext.match_outbound).
    """
    now, node_uuid = context.simulation.clock(), context.node.uuid
    recent = [message for message in context.recent_messages if now - message[0] <= REPEATED_TEXT_SECONDS]
    return sum(message[1:] == (node_uuid, text) for message in recent) >= MAX_REPEATED_TEXTS


def remember_text(context: Context, text: str) -> None:
    """Record a message that was sent, for `is_repeated_too_often`."""
    sent = (context.simulation.clock(), context.node.uuid, text)
    context.recent_messages = [*context.recent_messages, sent][-RECENT_MESSAGES:]
