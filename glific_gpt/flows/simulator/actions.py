"""What a node does: a function for each kind of action (glific/glific: Flows.Action.execute)."""

from collections.abc import Callable
from typing import Any, TypeAlias

from glific_gpt.flows.simulator import routers, webhooks
from glific_gpt.flows.simulator.context import Context, keep_value, stamped
from glific_gpt.flows.simulator.eex import items, to_string, whole
from glific_gpt.flows.simulator.event_log import Hung
from glific_gpt.flows.simulator.guards import Calls
from glific_gpt.flows.simulator.outcomes import FAILURE, Enter, Leave, Message, Outcome, Stay
from glific_gpt.flows.simulator.routers import leave_unsimulated
from glific_gpt.flows.simulator.sending import LOCALES, send
from glific_gpt.flows.structure import thing

Done: TypeAlias = Outcome | Message | None
"""None: the next action; a message goes to the node's own router; an outcome ends the node's turn."""
Action: TypeAlias = dict[str, Any]


def execute_action(context: Context, action: Action, made: Calls) -> Done:
    """Raises Aborted and Hung."""
    kind = to_string(action.get("type"))
    if kind == "call_webhook":
        return _call(context, action, made)
    if kind in _NOT_SIMULATED:
        return _not_simulated(context, f"{_NOT_SIMULATED[kind]} is not simulated")
    if kind not in _SIMULATED:
        raise Hung(f"Glific does not support the action {kind or 'without a type'}: the conversation hangs.")
    return _SIMULATED[kind](context, action)


def _call(context: Context, action: Action, made: Calls) -> Done:
    function = webhooks.function_of(action)
    if function is None:
        return webhooks.request(context, action, made)
    context.world.diary.note(f"Glific's own function {function} is not simulated: it goes on by {FAILURE}.")
    return Message(FAILURE)


def _not_simulated(context: Context, says: str) -> Done:
    router = context.node.router
    if router is None:
        context.world.diary.note(f"{says}: the conversation goes on without it.")
        return None
    context.world.diary.note(f"{says}: it goes on by {FAILURE}, or else by the default.")
    return leave_unsimulated(router)


def _set_result(context: Context, action: Action) -> None:
    value = context.evaluated(to_string(action.get("value")))
    keep_value(context, to_string(action.get("name")), value, context.filled(to_string(action.get("category"))))


def _set_field(context: Context, action: Action) -> None:
    field = thing(action.get("field"))
    key, value = to_string(field.get("key")).strip(), context.evaluated(to_string(action.get("value")))
    if key == "settings":
        context.world.diary.note("Opting in and out is not simulated.")
    elif key:
        label = to_string(field.get("name")) or key
        context.world.person.fields[key] = stamped({"value": value, "label": label, "type": "string"})


def _set_name(context: Context, action: Action) -> None:
    if name := context.evaluated(to_string(action.get("name"))):
        context.world.person.name = name


def _set_language(context: Context, action: Action) -> None:
    label = context.filled(to_string(action.get("language")))
    if label and label not in LOCALES:
        raise Hung(f"Glific has no language of the name {label}: the conversation hangs.")
    context.world.person.language = label or context.world.person.language


def _add_groups(context: Context, action: Action) -> None:
    context.world.person.add_to(items(action.get("groups")))


def _remove_groups(context: Context, action: Action) -> None:
    groups = context.world.person.groups
    gone = {to_string(thing(group).get("name")) for group in items(action.get("groups"))}
    groups[:] = [] if action.get("all_groups") else [name for name in groups if name not in gone]


def _enter(context: Context, action: Action) -> Enter:
    flow = thing(action.get("flow"))
    expression = to_string(flow.get("expression"))
    return Enter(context.evaluated(expression) if expression else to_string(flow.get("uuid")))


def _label(_context: Context, _action: Action) -> None:
    """Labels are for staff; a conversation goes on alike."""


_SIMULATED: dict[str, Callable[[Context, Action], Done]] = {
    "send_msg": send,
    "set_run_result": _set_result,
    "set_contact_field": _set_field,
    "set_contact_name": _set_name,
    "set_contact_language": _set_language,
    "add_contact_groups": _add_groups,
    "remove_contact_groups": _remove_groups,
    "add_input_labels": _label,
    "enter_flow": _enter,
}
_NOT_SIMULATED = {
    "send_interactive_msg": "An interactive message",
    "send_broadcast": "A message to others",
    "set_contact_profile": "A profile",
    "link_google_sheet": "A Google sheet",
    "open_ticket": "A ticket",
    "call_classifier": "A classifier",
    "start_session": "A flow for others",
}


WAITS = {"wait_for_time": "time", "wait_for_result": "result"}


def execute_node(context: Context, message: Message | None, made: Calls) -> Outcome:
    """Raises Aborted and Hung. A message is what the conversation has stayed at this very node for."""
    node = context.node
    kind = to_string(node.actions[0].get("type")) if node.actions else ""
    if kind in WAITS:
        return _wait(context, message)
    if node.router is not None:
        return _act_and_route(context, message, made)
    if node.actions:
        return _act(context, made)
    raise Hung(f"The node {node.uuid} neither does nor asks anything: the conversation hangs there.")


def _wait(context: Context, message: Message | None) -> Outcome:
    """Its router does not count: it leaves by its first exit, whether something has come or the time ran out."""
    action = context.node.actions[0]
    seconds = whole(action.get("delay")) or 0
    if message is not None or seconds <= 0:
        return _first_exit(context)
    return Stay("result" if action.get("type") == "wait_for_result" else "time", float(seconds))


def _act_and_route(context: Context, message: Message | None, made: Calls) -> Outcome:
    """Of several actions only the first is done."""
    router = context.node.router or {}
    if message is None and context.node.actions:
        done = execute_action(context, context.node.actions[0], made)
        if done is not None and not isinstance(done, Message):
            return done
        message = done
    return routers.execute_router(context, router, message)


def _act(context: Context, made: Calls) -> Outcome:
    for action in context.node.actions:
        done = execute_action(context, action, made)
        if done is not None:
            raise Hung(f"The node {context.node.uuid} has no router for what its action waits for: Glific hangs there.")
    return _first_exit(context)


def _first_exit(context: Context) -> Leave:
    if not context.node.exits:
        raise Hung(f"The node {context.node.uuid} has no exit: the conversation hangs there.")
    return Leave(to_string(context.node.exits[0].get("uuid")))
