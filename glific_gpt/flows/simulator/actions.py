"""Run the actions of a node, one function for each type (glific/glific: Flows.Action.execute, Flows.Node)."""

from collections.abc import Callable
from typing import TypeAlias

from glific_gpt.flows.simulator import webhooks
from glific_gpt.flows.simulator.context import Context, store_value, with_timestamp
from glific_gpt.flows.simulator.event_log import FlowStuck
from glific_gpt.flows.simulator.expressions import as_list, to_int, to_string
from glific_gpt.flows.simulator.guards import CallGuard
from glific_gpt.flows.simulator.messages import find_languages, send_message
from glific_gpt.flows.simulator.outcomes import FAILURE, NO_RESPONSE, EnterFlow, FollowExit, Message, Outcome, Wait
from glific_gpt.flows.simulator.routers import execute_router, follow_unsimulated_action
from glific_gpt.flows.structure import JsonObject, as_object

ActionResult: TypeAlias = Outcome | Message | None
"""None continues with the next action, a message goes to the node's router, an outcome ends the node."""

WAIT_ACTIONS = {"wait_for_time": "time", "wait_for_result": "result"}
WAIT_WITHOUT_DELAY_SECONDS = 4.0
"""glific/glific: Flows.Action sleeps this long if a wait has no seconds."""


def execute_node(context: Context, message: Message | None, calls: CallGuard) -> Outcome:
    """Run the current node. Raises FlowAborted and FlowStuck.

    `message` is the event that the conversation has waited for at this node, or `Exit Loop` of an earlier node.
    """
    node = context.node
    kind = to_string(node.actions[0].get("type")) if node.actions else ""
    if message is not None and message.is_exit_loop and kind == "call_webhook":
        raise FlowStuck("Glific calls no webhook after it has found a loop. The conversation stops here.")
    if kind in WAIT_ACTIONS:
        return _wait(context, message)
    if node.router is not None:
        return _act_and_route(context, message, calls)
    if node.actions:
        return _act(context, message, calls)
    raise FlowStuck(f"The node {node.uuid} has neither an action nor a router. The conversation stops here.")


def _wait(context: Context, message: Message | None) -> Outcome:
    """Wait, or follow the first exit if the wait has timed out. Glific ignores the router of such a node."""
    action = context.node.actions[0]
    seconds = to_int(action.get("delay")) or 0
    if message is not None and message.body != NO_RESPONSE:
        raise FlowStuck("Glific does not wait after it has found a loop. The conversation stops here.")
    if message is not None:
        return _follow_first_exit(context)
    if seconds <= 0:
        context.simulation.clock.offset += WAIT_WITHOUT_DELAY_SECONDS
        return _follow_first_exit(context)
    return Wait("result" if action.get("type") == "wait_for_result" else "time", float(seconds))


def _act_and_route(context: Context, message: Message | None, calls: CallGuard) -> Outcome:
    """Run the first action, then the router. Glific ignores further actions of such a node."""
    if (message is None or message.is_exit_loop) and context.node.actions:
        result = execute_action(context, context.node.actions[0], calls)
        if result is not None and not isinstance(result, Message):
            return result
        message = result or message
    return execute_router(context, context.node.router or {}, message)


def _act(context: Context, message: Message | None, calls: CallGuard) -> Outcome:
    """Run all actions. `Exit Loop`, of this node or an earlier one, continues to the next node."""
    for action in context.node.actions:
        result = execute_action(context, action, calls)
        if isinstance(result, Message) and result.is_exit_loop:
            message = result
        elif result is not None:
            raise FlowStuck(
                f"The node {context.node.uuid} has no router for the result of its action. The conversation stops here."
            )
    return _follow_first_exit(context, message)


def _follow_first_exit(context: Context, message: Message | None = None) -> FollowExit:
    if not context.node.exits:
        raise FlowStuck(f"The node {context.node.uuid} has no exit. The conversation stops here.")
    return FollowExit(to_string(context.node.exits[0].get("uuid")), message)


def execute_action(context: Context, action: JsonObject, calls: CallGuard) -> ActionResult:
    """Run one action. Raises FlowAborted and FlowStuck."""
    kind = to_string(action.get("type"))
    if kind == "call_webhook":
        return _call_webhook(context, action, calls)
    if kind in _UNSIMULATED:
        return _skip_unsimulated(context, f"{_UNSIMULATED[kind]} is not simulated")
    if kind not in _SIMULATED:
        raise FlowStuck(f"Glific does not support the action {kind or 'without a type'}. The conversation stops here.")
    return _SIMULATED[kind](context, action)


def _call_webhook(context: Context, action: JsonObject, calls: CallGuard) -> ActionResult:
    function = webhooks.function_name(action)
    if function is None:
        return webhooks.build_request(context, action, calls)
    context.simulation.log.add_note(
        f"Glific's own function {function} is not simulated. The conversation continues with {FAILURE}."
    )
    return Message(FAILURE)


def _skip_unsimulated(context: Context, reason: str) -> ActionResult:
    router = context.node.router
    if router is None:
        context.simulation.log.add_note(f"{reason}. The conversation continues without it.")
        return None
    context.simulation.log.add_note(f"{reason}. The conversation continues with {FAILURE}, or else with the default.")
    return follow_unsimulated_action(router)


def _set_result(context: Context, action: JsonObject) -> None:
    value = context.evaluate(to_string(action.get("value")))
    store_value(context, to_string(action.get("name")), value, context.fill(to_string(action.get("category"))))


def _set_contact_field(context: Context, action: JsonObject) -> None:
    field = as_object(action.get("field"))
    key, value = to_string(field.get("key")).strip(), context.evaluate(to_string(action.get("value")))
    if key == "settings":
        context.simulation.log.add_note("Opting in and out is not simulated.")
    elif key:
        label = to_string(field.get("name")) or key
        context.simulation.contact.fields[key] = with_timestamp({"value": value, "label": label, "type": "string"})


def _set_contact_name(context: Context, action: JsonObject) -> None:
    if name := context.evaluate(to_string(action.get("name"))):
        context.simulation.contact.name = name


def _set_contact_language(context: Context, action: JsonObject) -> None:
    text = context.fill(to_string(action.get("language")))
    if not text:
        return
    labels = find_languages(text)
    if not labels:
        raise FlowStuck(f"Glific has no language that begins with {text}. The conversation stops here.")
    if len(labels) > 1:
        context.simulation.log.add_note(
            f"{' and '.join(labels)} begin with {text}. The simulation is not sure which one Glific takes."
        )
    context.simulation.contact.language = labels[0]


def _add_contact_groups(context: Context, action: JsonObject) -> None:
    context.simulation.contact.add_to_groups(as_list(action.get("groups")))


def _remove_contact_groups(context: Context, action: JsonObject) -> None:
    groups = context.simulation.contact.groups
    removed = {to_string(as_object(group).get("name")) for group in as_list(action.get("groups"))}
    groups[:] = [] if action.get("all_groups") else [name for name in groups if name not in removed]


def _enter_flow(context: Context, action: JsonObject) -> EnterFlow:
    flow = as_object(action.get("flow"))
    expression = to_string(flow.get("expression"))
    return EnterFlow(context.evaluate(expression) if expression else to_string(flow.get("uuid")))


def _ignore(_context: Context, _action: JsonObject) -> None:
    """Do nothing: labels of messages are for staff and do not change the conversation."""


_SIMULATED: dict[str, Callable[[Context, JsonObject], ActionResult]] = {
    "send_msg": send_message,
    "set_run_result": _set_result,
    "set_contact_field": _set_contact_field,
    "set_contact_name": _set_contact_name,
    "set_contact_language": _set_contact_language,
    "add_contact_groups": _add_contact_groups,
    "remove_contact_groups": _remove_contact_groups,
    "add_input_labels": _ignore,
    "enter_flow": _enter_flow,
}
_UNSIMULATED = {
    "send_interactive_msg": "An interactive message",
    "send_broadcast": "A message to others",
    "set_contact_profile": "A profile",
    "link_google_sheet": "A Google sheet",
    "open_ticket": "A ticket",
    "call_classifier": "A classifier",
    "start_session": "A flow for others",
}
