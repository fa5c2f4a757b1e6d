"""Rules of the file: what Flows > Import reads (glific/glific: Flows.import_flow)."""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from glific_gpt.flows.rules.node import broken_in_node
from glific_gpt.flows.structure import (
    Rounds,
    Thing,
    as_kept,
    drawn_first,
    has_only,
    repeated,
    text,
    texts,
    thing,
    things,
)

LISTS = {"contact_field": str, "collections": str, "interactive_templates": dict}
"""Glific goes through them without asking whether they are there."""


def broken_in_file(export: Any) -> Iterator[str]:
    if not isinstance(export, dict):
        yield "The file is not a JSON object."
        return
    for key, kind in LISTS.items():
        if not has_only(export.get(key), kind):
            yield f"The file's {key} is not a list of {'names' if kind is str else 'objects'}."
    if not has_only(export.get("flows"), dict) or not export["flows"]:
        yield "The file's flows is not a list of flows."
    flows = things(export.get("flows"))
    yield from _shared_by_flows(flows)
    for flow in flows:
        yield from _broken_around_flow(flow)


def _shared_by_flows(flows: list[Thing]) -> Iterator[str]:
    definitions = [thing(flow.get("definition")) for flow in flows]
    for key in ("name", "uuid"):
        for value in repeated(text(definition.get(key)) for definition in definitions):
            yield f'Two flows of the file have the {key} "{value}".'
    for keyword in repeated(keyword for flow in flows for keyword in set(texts(flow.get("keywords")))):
        yield f'Two flows of the file have the keyword "{keyword}".'


def _broken_around_flow(flow: Thing) -> Iterator[str]:
    definition = flow.get("definition")
    if not isinstance(definition, dict):
        yield "A flow of the file has no definition."
        return
    name = f'Flow "{text(definition.get("name"))}"'
    if not has_only(flow.get("keywords"), str):
        yield f"{name}: its keywords are not a list of texts."
    for keyword in texts(flow.get("keywords")):
        if not keyword or as_kept(keyword) != keyword:
            yield f'{name}: its keyword "{keyword}" is never heard: Glific hears "{as_kept(keyword)}".'
    yield from (f"{name}{sentence}" for sentence in broken_in_flow(definition))


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
