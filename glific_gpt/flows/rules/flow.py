"""Rules of a flow's definition: how Glific loads it (glific/glific: Flows.Flow)."""

import math
from collections.abc import Iterable, Iterator
from typing import Any, TypeGuard
from uuid import UUID

from glific_gpt.flows.reading import Thing, has_only, repeated, text, thing, things
from glific_gpt.flows.rules.node import broken_in_node

LOWEST = 1_000_000
"""Glific looks for the first node above this line of `_ui`."""
NOWHERE = (math.inf, math.inf)


def broken_in_flow(definition: Thing) -> Iterator[str]:
    """Sentences that go on behind the flow's name."""
    yield from (f": {sentence}" for sentence in _broken_in_whole(definition))
    nodes = things(definition.get("nodes"))
    for node in nodes:
        name = f", node {text(node.get('uuid'))[-4:]}"
        yield from (f"{name}: {sentence}" for sentence in broken_in_node(node, nodes))


def _broken_in_whole(definition: Thing) -> Iterator[str]:
    if not text(definition.get("name")).strip():
        yield "it has no name."
    if not _is_uuid(definition.get("uuid")):
        yield "its uuid is not a UUID."
    if not isinstance(definition.get("localization"), dict):
        yield "its localization is not an object; an empty one is fine."
    if not has_only(definition.get("nodes"), dict) or not definition["nodes"]:
        yield "its nodes are not a list of nodes."
    for uuid in repeated(_uuids(things(definition.get("nodes")))):
        yield f"the uuid {uuid} is there more than once."
    yield from _broken_start(definition)


def _broken_start(definition: Thing) -> Iterator[str]:
    """Glific starts with the node that is drawn at the top, and left of others at the same height."""
    drawn = thing(thing(definition.get("_ui")).get("nodes"))
    known = {text(node.get("uuid")) for node in things(definition.get("nodes"))}
    first = min(drawn, key=lambda uuid: _place(drawn[uuid]), default="")
    if not first or _place(drawn[first]) == NOWHERE:
        yield "no node is drawn at a place, so Glific finds no start."
    elif first not in known:
        yield f"its drawing begins with {first}, which is no node, so Glific finds no start."


def _place(ui: Any) -> tuple[float, float]:
    """From the top, then from the left."""
    position = thing(thing(ui).get("position"))
    top, left = position.get("top"), position.get("left")
    return (top, left) if _is_near(top) and _is_near(left) else NOWHERE


def _is_near(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LOWEST


def _uuids(nodes: list[Thing]) -> Iterable[str]:
    """Glific keeps everything that a flow is made of in one map."""
    for node in nodes:
        router = thing(node.get("router"))
        parts = (node.get("actions"), node.get("exits"), router.get("categories"), router.get("cases"))
        for part in (node, *(part for found in parts for part in things(found))):
            if isinstance(part.get("uuid"), str):
                yield part["uuid"]


def _is_uuid(value: Any) -> bool:
    try:
        return str(UUID(text(value))) == text(value).lower()
    except ValueError:
        return False
