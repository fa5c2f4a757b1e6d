"""Rules of a flow's definition: how Glific loads it (glific/glific: Flows.Flow)."""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from glific_gpt.flows.reading import Thing, has_only, repeated, text, thing, things
from glific_gpt.flows.rules.node import broken_in_node
from glific_gpt.flows.start import drawn_first
from glific_gpt.flows.ways import Rounds


def broken_in_flow(definition: Thing) -> Iterator[str]:
    """Sentences that go on behind the flow's name."""
    yield from (f": {sentence}" for sentence in _broken_in_whole(definition))
    nodes = things(definition.get("nodes"))
    known, rounds = {text(node.get("uuid")) for node in nodes}, Rounds(nodes)
    for node in nodes:
        name = f", node {text(node.get('uuid'))[-4:]}"
        yield from (f"{name}: {sentence}" for sentence in broken_in_node(node, known, rounds))


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
    known = {text(node.get("uuid")) for node in things(definition.get("nodes"))}
    first = drawn_first(definition)
    if not first:
        yield "no node is drawn at a place, so Glific finds no start."
    elif first not in known:
        yield f"its drawing begins with {first}, which is no node, so Glific finds no start."


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
