"""Typed access to JSON of unknown shape, and the facts about flows that all parts of this package share."""

import math
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeGuard

JsonObject = dict[str, Any]

MAX_MESSAGE_CHARACTERS = 4095
"""The longest text message that Glific sends (glific/glific: Providers.Gupshup.Message)."""


def object_items(value: Any) -> list[JsonObject]:
    """Return the objects in a list; an empty list for anything but a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def as_object(value: Any) -> JsonObject:
    """Return the value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def string_items(value: Any) -> list[str]:
    """Return the strings in a list; an empty list for anything but a list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def as_string(value: Any) -> str:
    """Return the value if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def is_list_of(value: Any, kind: type) -> bool:
    """Return whether the value is a list and all its items are of that type."""
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)


def describe_missing_keys(subject: str, value: JsonObject, *keys: str) -> Iterator[str]:
    """Yield one sentence about the keys that are absent. Glific requires the keys only: their values may be null."""
    missing = [key for key in keys if key not in value]
    if missing:
        yield f"{subject} lacks {' and '.join(missing)}."


def find_duplicates(values: Iterable[str]) -> list[str]:
    """Return the values that occur more than once, in their order."""
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return [value for value, count in counts.items() if count > 1]


def normalize_keyword(text: str) -> str:
    """Return the text in lower case, without punctuation, symbols, spaces and control characters of any script.

    Glific normalizes keywords and messages in this way before it compares them (glific/glific: Glific.string_clean).
    """
    return "".join(character for character in text if unicodedata.category(character)[0] not in "PSZC").lower()


MAX_COORDINATE = 1_000_000
"""Pixels. Glific searches the first node above this line of `_ui`."""
NO_POSITION = (math.inf, math.inf)


def find_start_uuid(definition: JsonObject) -> str:
    """Return the uuid that is drawn first: topmost, then leftmost; "" if nothing has a position.

    Glific starts a flow there, not at the first of its nodes. The uuid may be that of no node.
    """
    drawn = as_object(as_object(definition.get("_ui")).get("nodes"))
    first = min(drawn, key=lambda uuid: _position(drawn[uuid]), default="")
    return first if first and _position(drawn[first]) != NO_POSITION else ""


def _position(ui: Any) -> tuple[float, float]:
    """Return top and left."""
    position = as_object(as_object(ui).get("position"))
    top, left = position.get("top"), position.get("left")
    return (top, left) if _is_coordinate(top) and _is_coordinate(left) else NO_POSITION


def _is_coordinate(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MAX_COORDINATE


class CycleFinder:
    """Finds the nodes of a flow that are on a cycle. One pass over the exits finds all cycles."""

    def __init__(self, nodes: Iterable[JsonObject]) -> None:
        self._component_of = _strong_components(_destinations_by_node(nodes))

    def returns_to(self, uuid: str, exits: Iterable[JsonObject]) -> bool:
        """Return whether these exits of the node lead back to it, in any number of steps."""
        component = self._component_of.get(uuid)
        return component is not None and any(
            self._component_of.get(destination) == component for destination in _destinations(exits)
        )


def _strong_components(edges: Mapping[str, list[str]]) -> dict[str, str]:
    """Return for each node the representative of its strongly connected component (Kosaraju's algorithm)."""
    reverse_edges: dict[str, list[str]] = {}
    for uuid, destinations in edges.items():
        for destination in destinations:
            reverse_edges.setdefault(destination, []).append(uuid)
    components: dict[str, str] = {}
    for representative in reversed(_postorder(edges)):
        pending = [representative]
        while pending:
            if (uuid := pending.pop()) not in components:
                components[uuid] = representative
                pending.extend(reverse_edges.get(uuid, []))
    return components


def _postorder(edges: Mapping[str, list[str]]) -> list[str]:
    """Return the nodes in the post-order of a depth-first search."""
    order: list[str] = []
    seen: set[str] = set()
    # An explicit stack, because a long flow would exceed Python's recursion limit.
    stack = [(uuid, False) for uuid in edges]
    while stack:
        uuid, is_finished = stack.pop()
        if is_finished:
            order.append(uuid)
        elif uuid not in seen:
            seen.add(uuid)
            stack.append((uuid, True))
            stack.extend((destination, False) for destination in edges.get(uuid, []) if destination not in seen)
    return order


def _destinations_by_node(nodes: Iterable[JsonObject]) -> dict[str, list[str]]:
    edges: dict[str, list[str]] = {}
    for node in nodes:
        edges.setdefault(as_string(node.get("uuid")), []).extend(_destinations(object_items(node.get("exits"))))
    return edges


def _destinations(exits: Iterable[JsonObject]) -> list[str]:
    return string_items([node_exit.get("destination_uuid") for node_exit in exits])
