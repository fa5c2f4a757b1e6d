"""Rules of a node: its exits, and which actions may stand in it (glific/glific: Flows.Node)."""

from collections.abc import Iterator

from glific_gpt.flows.reading import Thing, has_only, lacking, text, thing, things
from glific_gpt.flows.rules.action import broken_in_action
from glific_gpt.flows.rules.router import broken_in_router
from glific_gpt.flows.rules.webhook import broken_in_webhook
from glific_gpt.flows.ways import Rounds

WAITING = ("wait_for_time", "wait_for_result")


def broken_in_node(node: Thing, known: set[str], rounds: Rounds) -> Iterator[str]:
    """`known` are the uuids of all nodes of the flow."""
    yield from lacking("it", node, "uuid")
    yield from _broken_exits(node, known)
    if not has_only(node.get("actions"), dict):
        yield "its actions are not a list."
    for action in things(node.get("actions")):
        yield from broken_in_action(action)
    if node.get("router") is not None:
        yield from broken_in_router(node["router"], node)
    yield from _broken_company(node)
    yield from broken_in_webhook(node, rounds)


def _broken_exits(node: Thing, known: set[str]) -> Iterator[str]:
    if not has_only(node.get("exits"), dict) or not node["exits"]:
        yield "its exits are not a list of exits."
    for out in things(node.get("exits")):
        yield from lacking("an exit", out, "uuid")
        destination = out.get("destination_uuid")
        if destination is not None and text(destination) not in known:
            yield f"an exit leads to {destination}, which is no node."


def _broken_company(node: Thing) -> Iterator[str]:
    """Which actions Glific reaches."""
    actions, router = things(node.get("actions")), thing(node.get("router"))
    if not actions and not router:
        yield "it has neither an action nor a router."
    if router and len(actions) > 1:
        yield "it has a router and more than one action: Glific runs only the first."
    if len(actions) > 1 and any(action.get("type") in WAITING for action in actions):
        yield "it waits, and has another action: Glific runs only one of them."
