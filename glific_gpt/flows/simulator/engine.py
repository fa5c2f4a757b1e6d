"""Flows of one contact, run node by node until they wait or end (glific/glific: Flows.Node, Flows.FlowContext).

It knows nothing of threads and sockets: a webhook's request is left in `calling` for somebody to send.
"""

from itertools import count
from typing import Any, TypeAlias

from glific_gpt.flows.simulator import actions
from glific_gpt.flows.simulator.context import Context, World, stamped, without_family
from glific_gpt.flows.simulator.eex import to_string
from glific_gpt.flows.simulator.event_log import Aborted, EndsEarly, Hung, TroubleCode
from glific_gpt.flows.simulator.flows import Flow
from glific_gpt.flows.simulator.guards import Calls, Visits
from glific_gpt.flows.simulator.http_call import Answer
from glific_gpt.flows.simulator.outcomes import (
    COMPLETED,
    FAILURE,
    NO_RESPONSE,
    SUCCESS,
    Call,
    Enter,
    Leave,
    Message,
    Outcome,
    Stay,
)
from glific_gpt.flows.simulator.webhooks import result_of, told

Next: TypeAlias = tuple[Context, Message | None] | None
"""The flow whose node has its turn, and what comes to it; None when the run is over."""
ROUNDING = 1e-6
"""Seconds by which a sum of moments may be wrong."""


class Engine:
    """What Glific does with a contact's messages."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.context: Context | None = None
        """The innermost flow that the contact is in."""
        self.calling: tuple[Context, Call] | None = None
        self._made = Calls()
        self._ids = count(1)

    def begin(self, flow: Flow, results: dict[str, Any]) -> None:
        """The contact leaves all other flows for this one."""
        self.calling = None
        self._made.begin_anew()
        self.context = self._open(flow, results)
        if self.context is not None:
            self._run(self.context, None)

    def receive(self, message: Message) -> None:
        """To the node that waits for a reply; anywhere else a message is lost."""
        if self.context is None:
            self.world.diary.note("No flow is there to answer this.")
        elif self.context.waits == "reply":
            self._made.begin_anew()
            self._run(self.context, message)
        elif self.context.waits == "nothing":
            self.world.diary.note("The conversation hangs: this message gets no answer.")
        else:
            self.world.diary.note(f"The flow waits for {_awaited(self.context)}: this message is lost.")

    def wake(self) -> bool:
        """Lets the flow go on if its wait is over; whether it was."""
        context = self.context
        if context is None or context.wakes_at is None or context.wakes_at > self.world.clock() + ROUNDING:
            return False
        if context.waits == "result":
            self.world.diary.note("The wait for the result ran out.")
        self._made.begin_anew()
        self._run(context, Message(NO_RESPONSE))
        return True

    def resume(self, result: dict[str, Any]) -> None:
        """The flow waits for a result, and this is it."""
        if self.context is not None:
            self.world.diary.note(f"The flow was resumed with {', '.join(result) or 'nothing'}.")
            self.context.results.update(result)
            self._made.begin_anew()
            self._run(self.context, Message(NO_RESPONSE))

    def answered(self, context: Context, call: Call, answer: Answer) -> None:
        """To the request that was in `calling`; what the contact has left meanwhile is not woken."""
        result = result_of(call, answer)
        self.world.diary.called(told(call, answer, failed=result is None))
        if self.context is not context or context.waits != "webhook":
            return
        if result is not None:
            context.results[call.result_name or ""] = stamped(result)
        self._run(context, Message(FAILURE if result is None else SUCCESS))

    def _open(self, flow: Flow, results: dict[str, Any], parent: Context | None = None) -> Context | None:
        start = flow.nodes.get(flow.start)
        if start is None:
            self.world.diary.trouble(TroubleCode.HANGS, f"The flow {flow.name} has no node to start at.")
            return None
        return Context(next(self._ids), self.world, flow, start, results, parent)

    def _run(self, context: Context, message: Message | None) -> None:
        self.world.person.load(self.world.diary)
        visits = Visits()
        here: Next = (context, message)
        try:
            while here is not None:
                here = self._turn(*here, visits)
        except EndsEarly as end:
            self._end_early(end)

    def _turn(self, context: Context, message: Message | None, visits: Visits) -> Next:
        self.context = context
        visits.count(context)
        return self._follow(context, actions.execute_node(context, message, self._made), visits)

    def _follow(self, context: Context, outcome: Outcome, visits: Visits) -> Next:
        if isinstance(outcome, Leave):
            return self._leave(context, outcome.exit_uuid)
        if isinstance(outcome, Enter):
            return self._enter(context, outcome.flow_uuid, visits)
        if isinstance(outcome, Call):
            self.calling = context, outcome
        self._stay(context, outcome if isinstance(outcome, Stay) else Stay("webhook"))
        return None

    def _stay(self, context: Context, stay: Stay) -> None:
        context.waits = stay.waits
        context.wakes_at = None if stay.seconds is None else self.world.clock() + stay.seconds

    def _leave(self, context: Context, exit_uuid: str) -> Next:
        context.waits, context.wakes_at = None, None
        way_out = next((each for each in context.node.exits if to_string(each.get("uuid")) == exit_uuid), None)
        if way_out is None:
            raise Hung(f"The node {context.node.uuid} has no such exit: the conversation hangs there.")
        destination = to_string(way_out.get("destination_uuid"))
        if not destination:
            return self._end(context)
        if destination not in context.flow.nodes:
            raise Hung(f"The node {context.node.uuid} leads to a node that is not there: the conversation hangs.")
        context.node = context.flow.nodes[destination]
        return context, None

    def _end(self, context: Context) -> Next:
        """A flow that was entered gives its results to the one that it was entered from."""
        self.context = parent = context.parent
        if parent is None:
            return None
        if kept := {name: result for name, result in context.results.items() if name != "parent"}:
            parent.results["child"] = kept
        return parent, Message(COMPLETED)

    def _enter(self, context: Context, uuid: str, visits: Visits) -> Next:
        flow = self.world.flows.of_uuid(uuid)
        if flow is None:
            raise Hung("The flow that is entered here is not in this file, so it is not simulated any further.")
        if uuid in visits.entered or _is_in(flow, context):
            raise Aborted(f"The flow {flow.name} is entered from within itself: Glific ends the conversation.")
        visits.entered.add(uuid)
        self._stay(context, Stay("flow"))
        # Where nothing follows, Glific closes the outer flow first, and does not come back to it.
        outer = context.parent if context.node.is_last else context
        child = self._open(flow, {"parent": without_family(context.results)}, outer)
        return None if child is None else (child, None)

    def _end_early(self, end: EndsEarly) -> None:
        if isinstance(end, Aborted):
            self.context = None
            self.world.diary.trouble(TroubleCode.ABORTED, str(end))
            return
        if self.context is not None:
            self._stay(self.context, Stay("nothing"))
        self.world.diary.trouble(TroubleCode.HANGS, str(end))


def _awaited(context: Context) -> str:
    return {"webhook": "the webhook's answer", "result": "its result", "time": "its time"}.get(str(context.waits), "")


def _is_in(flow: Flow, context: Context | None) -> bool:
    while context is not None:
        if context.flow.uuid == flow.uuid:
            return True
        context = context.parent
    return False
