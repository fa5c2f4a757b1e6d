"""Flows with one broken rule, and the nodes that can be reached in a flow."""

from collections.abc import Callable, Iterable

from glific_gpt.flows.rules import find_violations
from tests.flows.exports import Json, node_of


def first_definition(exported: Json) -> Json:
    """Return the definition of the first flow."""
    value: Json = exported["flows"][0]["definition"]
    return value


def router_of(exported: Json, name: str) -> Json:
    value: Json = node_of(exported, name)["router"]
    return value


def only_violation(exported: Json, break_it: Callable[[Json], object]) -> str:
    """Break a valid file, and return the only violation."""
    break_it(exported)
    (sentence,) = find_violations(exported)
    return sentence


def reachable_nodes(exits: Iterable[Json], nodes: list[Json]) -> set[str]:
    """Return the uuids of the nodes behind these exits, in any number of steps."""
    exits_of = {node["uuid"]: node["exits"] for node in nodes}
    seen: set[str] = set()
    todo = [*exits]
    while todo:
        uuid = todo.pop()["destination_uuid"]
        if uuid is not None and uuid not in seen:
            seen.add(uuid)
            todo.extend(exits_of.get(uuid, []))
    return seen
