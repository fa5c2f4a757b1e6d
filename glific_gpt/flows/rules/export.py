"""Rules of a file and its flows: what Glific's import reads, and what its loading needs (glific/glific: Flows)."""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from glific_gpt.flows.rules.node import check_node
from glific_gpt.flows.rules.remarks import list_violations
from glific_gpt.flows.structure import (
    CycleFinder,
    JsonObject,
    as_object,
    as_string,
    find_duplicates,
    find_start_uuid,
    is_list_of,
    normalize_keyword,
    object_items,
    string_items,
)

REQUIRED_LISTS = {"contact_field": str, "collections": str, "interactive_templates": dict}
"""Glific's import iterates over these lists without checking that they exist."""


def check_export(export: Any) -> Iterator[str]:
    """Yield a sentence for each broken rule."""
    if not isinstance(export, dict):
        yield "The file is not a JSON object."
        return
    for key, kind in REQUIRED_LISTS.items():
        if not is_list_of(export.get(key), kind):
            yield f"The file's {key} is not a list of {'names' if kind is str else 'objects'}."
    if not is_list_of(export.get("flows"), dict) or not export["flows"]:
        yield "The file's flows is not a list of flows."
    flows = object_items(export.get("flows"))
    yield from _check_uniqueness(flows)
    for flow in flows:
        yield from _check_flow(flow)
    yield from list_violations(export)


def _check_uniqueness(flows: list[JsonObject]) -> Iterator[str]:
    definitions = [as_object(flow.get("definition")) for flow in flows]
    for key in ("name", "uuid"):
        for value in find_duplicates(as_string(definition.get(key)) for definition in definitions):
            yield f'Two flows of the file have the {key} "{value}".'
    for keyword in find_duplicates(keyword for flow in flows for keyword in set(string_items(flow.get("keywords")))):
        yield f'Two flows of the file have the keyword "{keyword}".'


def _check_flow(flow: JsonObject) -> Iterator[str]:
    definition = flow.get("definition")
    if not isinstance(definition, dict):
        yield "A flow of the file has no definition."
        return
    name = f'Flow "{as_string(definition.get("name"))}"'
    if not is_list_of(flow.get("keywords"), str):
        yield f"{name}: its keywords are not a list of texts."
    for keyword in string_items(flow.get("keywords")):
        if not keyword or normalize_keyword(keyword) != keyword:
            yield f'{name}: its keyword "{keyword}" never matches. Glific compares "{normalize_keyword(keyword)}".'
    yield from (f"{name}{sentence}" for sentence in _check_definition(definition))


def _check_definition(definition: JsonObject) -> Iterator[str]:
    """Yield sentences to append to the flow's name."""
    yield from (f": {sentence}" for sentence in _check_definition_keys(definition))
    nodes = object_items(definition.get("nodes"))
    uuids, cycles = {as_string(node.get("uuid")) for node in nodes}, CycleFinder(nodes)
    for node in nodes:
        name = f", node {as_string(node.get('uuid'))[-4:]}"
        yield from (f"{name}: {sentence}" for sentence in check_node(node, uuids, cycles))


def _check_definition_keys(definition: JsonObject) -> Iterator[str]:
    if not as_string(definition.get("name")).strip():
        yield "it has no name."
    if not _is_uuid(definition.get("uuid")):
        yield "its uuid is not a UUID."
    if not isinstance(definition.get("localization"), dict | None):
        yield "its localization is not an object; without one it is fine."
    if not is_list_of(definition.get("nodes"), dict) or not definition["nodes"]:
        yield "its nodes are not a list of nodes."
    for uuid in find_duplicates(_all_uuids(object_items(definition.get("nodes")))):
        yield f"the uuid {uuid} occurs more than once."
    yield from _check_start(definition)


def _check_start(definition: JsonObject) -> Iterator[str]:
    """Check that there is a node at the topmost, then leftmost position, at which Glific starts."""
    uuids = {as_string(node.get("uuid")) for node in object_items(definition.get("nodes"))}
    start = find_start_uuid(definition)
    if not start:
        yield "no node has a position, so Glific finds no start."
    elif start not in uuids:
        yield f"the first position belongs to {start}, which is not a node, so Glific finds no start."


def _all_uuids(nodes: list[JsonObject]) -> Iterable[str]:
    """Yield the uuids of all parts of a flow. Glific keeps all parts in one map, so none may occur twice."""
    for node in nodes:
        router = as_object(node.get("router"))
        lists = (node.get("actions"), node.get("exits"), router.get("categories"), router.get("cases"))
        for part in (node, *(part for parts in lists for part in object_items(parts))):
            if isinstance(part.get("uuid"), str):
                yield part["uuid"]


def _is_uuid(value: Any) -> bool:
    try:
        return str(UUID(as_string(value))) == as_string(value).lower()
    except ValueError:
        return False
