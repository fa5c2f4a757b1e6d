"""One node's turn: its actions, its router, its waiting (glific/glific: Flows.Node.execute)."""

from glific_gpt.simulator import actions, routers
from glific_gpt.simulator.context import Context
from glific_gpt.simulator.elixir import to_string, whole
from glific_gpt.simulator.endings import Hung
from glific_gpt.simulator.guards import Calls
from glific_gpt.simulator.messages import Message
from glific_gpt.simulator.outcomes import Leave, Outcome, Stay

WAITS = {"wait_for_time": "time", "wait_for_result": "result"}


def execute(context: Context, message: Message | None, made: Calls) -> Outcome:
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
        done = actions.execute(context, context.node.actions[0], made)
        if done is not None and not isinstance(done, Message):
            return done
        message = done
    return routers.execute(context, router, message)


def _act(context: Context, made: Calls) -> Outcome:
    for action in context.node.actions:
        done = actions.execute(context, action, made)
        if done is not None:
            raise Hung(f"The node {context.node.uuid} has no router for what its action waits for: Glific hangs there.")
    return _first_exit(context)


def _first_exit(context: Context) -> Leave:
    if not context.node.exits:
        raise Hung(f"The node {context.node.uuid} has no exit: the conversation hangs there.")
    return Leave(to_string(context.node.exits[0].get("uuid")))
