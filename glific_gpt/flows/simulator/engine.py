"""Run the flows of one contact, node by node, until they wait or end (glific/glific: Flows.Node, Flows.FlowContext).

The engine uses neither threads nor sockets: it leaves a webhook's request in `pending_request` for its caller to send.
"""

from itertools import count
from typing import Any, TypeAlias

from glific_gpt.flows.simulator.actions import execute_node
from glific_gpt.flows.simulator.context import Context, Simulation, with_timestamp, without_parent_and_child
from glific_gpt.flows.simulator.event_log import FlowAborted, FlowStuck, ProblemCode, RunStopped
from glific_gpt.flows.simulator.expressions import to_string
from glific_gpt.flows.simulator.flows import Flow
from glific_gpt.flows.simulator.guards import CallGuard, VisitGuard
from glific_gpt.flows.simulator.outcomes import (
    COMPLETED,
    FAILURE,
    NO_RESPONSE,
    SUCCESS,
    EnterFlow,
    FollowExit,
    Message,
    Outcome,
    Wait,
    WebhookRequest,
    WebhookResponse,
)
from glific_gpt.flows.simulator.webhooks import describe_call, read_result

NextStep: TypeAlias = tuple[Context, Message | None] | None
"""The flow that continues next, and its message; None if the flow waits or has ended."""
ROUNDING_SECONDS = 1e-6
"""Tolerance for sums of floating-point times."""
WAKE_UP_SECONDS = 60.0
"""A job of every minute ends the waits that are over, so they last up to this much longer. This takes the longest.

glific/glific: FlowContext.wakeup_flows.
"""

_WAIT_NAMES = {"webhook": "the webhook's answer", "result": "its result", "time": "its time"}


class Engine:
    """Processes the messages, results and time-outs of one contact."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.context: Context | None = None
        """The innermost flow that the contact is in."""
        self.pending_request: tuple[Context, WebhookRequest] | None = None
        self._calls = CallGuard()
        self._ids = count(1)

    def start_flow(self, flow: Flow, results: dict[str, Any]) -> None:
        """Start a flow. The contact leaves all other flows."""
        # A request that was not sent yet belongs to one of those.
        self.pending_request = None
        self._calls.reset_streak()
        self.context = self._open(flow, results)
        if self.context is not None:
            self._run(self.context, None)

    def receive_message(self, message: Message) -> None:
        """Pass a message to the node that waits for a reply. Without such a node the message is lost, as in Glific."""
        if self.context is None:
            self.simulation.log.add_note("No flow is active, so this gets no answer.")
        elif self.context.waits_for == "reply":
            self._calls.reset_streak()
            self._run(self.context, message)
        elif self.context.waits_for == "nothing":
            self.simulation.log.add_note("The conversation is stuck, so this message gets no answer.")
        else:
            wait = _WAIT_NAMES.get(str(self.context.waits_for), "")
            self.simulation.log.add_note(f"The flow waits for {wait}, so this message is lost.")

    def expire_wait(self) -> bool:
        """Continue the flow if its wait has timed out. Return whether it had."""
        context = self.context
        if context is None or context.wakes_at is None:
            return False
        if context.wakes_at > self.simulation.clock() + ROUNDING_SECONDS:
            return False
        if context.waits_for == "result":
            self.simulation.log.add_note(
                "The wait for the result timed out. In Glific it lasts up to a minute longer than the node says."
            )
        self._calls.reset_streak()
        # Glific continues a flow by a message with a fixed text, to which the routers of its nodes refer.
        self._run(context, Message(NO_RESPONSE))
        return True

    def receive_result(self, result: dict[str, Any]) -> None:
        """Continue a flow that waits for a result, with this result."""
        if self.context is not None:
            self.simulation.log.add_note(f"The flow was resumed with {', '.join(result) or 'nothing'}.")
            self.context.results.update(result)
            self._calls.reset_streak()
            self._run(self.context, Message(NO_RESPONSE))

    def receive_response(self, context: Context, request: WebhookRequest, response: WebhookResponse) -> None:
        """Continue with the response to the pending request, unless the contact has left that flow meanwhile."""
        result = read_result(request, response)
        self.simulation.log.add_call(describe_call(request, response, has_failed=result is None))
        # The contact may have started another flow while the webhook was called.
        if self.context is not context or context.waits_for != "webhook":
            return
        if result is not None:
            context.results[request.result_name or ""] = with_timestamp(result)
        self._run(context, Message(FAILURE if result is None else SUCCESS))

    def _open(self, flow: Flow, results: dict[str, Any], parent: Context | None = None) -> Context | None:
        start = flow.nodes.get(flow.start_uuid)
        if start is None:
            self.simulation.log.add_problem(ProblemCode.STUCK, f"The flow {flow.name} has no node to start at.")
            return None
        return Context(next(self._ids), self.simulation, flow, start, results, parent)

    def _run(self, context: Context, message: Message | None) -> None:
        self.simulation.contact.reload(self.simulation.log)
        visits = VisitGuard()
        step: NextStep = (context, message)
        try:
            while step is not None:
                step = self._run_node(*step, visits)
        except RunStopped as error:
            self._stop(error)

    def _run_node(self, context: Context, message: Message | None, visits: VisitGuard) -> NextStep:
        self.context = context
        visits.count_visit(context)
        return self._apply(context, execute_node(context, message, self._calls), visits)

    def _apply(self, context: Context, outcome: Outcome, visits: VisitGuard) -> NextStep:
        if isinstance(outcome, FollowExit):
            return self._follow_exit(context, outcome)
        if isinstance(outcome, EnterFlow):
            return self._enter_flow(context, outcome.flow_uuid, visits)
        if isinstance(outcome, WebhookRequest):
            self.pending_request = context, outcome
            outcome = Wait("webhook")
        self._wait(context, outcome)
        return None

    def _wait(self, context: Context, wait: Wait) -> None:
        context.waits_for = wait.kind
        context.wakes_at = None if wait.seconds is None else self.simulation.clock() + wait.seconds + WAKE_UP_SECONDS

    def _follow_exit(self, context: Context, outcome: FollowExit) -> NextStep:
        context.waits_for, context.wakes_at = None, None
        exits = (node_exit for node_exit in context.node.exits if to_string(node_exit.get("uuid")) == outcome.exit_uuid)
        node_exit = next(exits, None)
        if node_exit is None:
            raise FlowStuck(f"The node {context.node.uuid} has no such exit. The conversation stops here.")
        destination = to_string(node_exit.get("destination_uuid"))
        if not destination:
            return self._end_flow(context)
        if destination not in context.flow.nodes:
            raise FlowStuck(
                f"The node {context.node.uuid} leads to a node that does not exist. The conversation stops here."
            )
        context.node = context.flow.nodes[destination]
        return context, outcome.message

    def _end_flow(self, context: Context) -> NextStep:
        """End a flow, and pass its results to the flow that entered it."""
        self.context = parent = context.parent
        if parent is None:
            return None
        # Without "parent": it came from that flow.
        if results := {name: result for name, result in context.results.items() if name != "parent"}:
            parent.results["child"] = results
        return parent, Message(COMPLETED)

    def _enter_flow(self, context: Context, uuid: str, visits: VisitGuard) -> NextStep:
        flow = self.simulation.flows.find_by_uuid(uuid)
        if flow is None:
            raise FlowStuck("The flow that is entered here is not in this file. The simulation stops here.")
        # Entered twice in one run, or from inside itself: Glific ends the conversation in both cases.
        if uuid in visits.entered_flows or _is_inside(flow, context):
            raise FlowAborted(f"The flow {flow.name} enters itself. Glific ends the conversation.")
        visits.entered_flows.add(uuid)
        self._wait(context, Wait("flow"))
        # If no node follows, Glific closes the outer flow first and does not return to it.
        parent = context.parent if context.node.is_last else context
        child = self._open(flow, {"parent": without_parent_and_child(context.results)}, parent)
        return None if child is None else (child, None)

    def _stop(self, error: RunStopped) -> None:
        if isinstance(error, FlowAborted):
            self.context = None
            self.simulation.log.add_problem(error.code, str(error))
            return
        if self.context is not None:
            self._wait(self.context, Wait("nothing"))
        self.simulation.log.add_problem(ProblemCode.STUCK, str(error))


def _is_inside(flow: Flow, context: Context | None) -> bool:
    """Return whether the contact is in the flow, at any level of entered flows."""
    while context is not None:
        if context.flow.uuid == flow.uuid:
            return True
        context = context.parent
    return False
