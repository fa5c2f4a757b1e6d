"""Any JSON, read without surprises: what is not of the kind that is asked for is as good as not there."""

import math
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeGuard

Thing = dict[str, Any]


def things(value: Any) -> list[Thing]:
    """The objects of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def thing(value: Any) -> Thing:
    return value if isinstance(value, dict) else {}


def texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def has_only(value: Any, kind: type) -> bool:
    """Whether it is a list, and everything in it of that kind."""
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)


def lacking(what: str, value: Thing, *keys: str) -> Iterator[str]:
    """Glific asks for the keys only: what they hold may be null."""
    missing = [key for key in keys if key not in value]
    if missing:
        yield f"{what} lacks {' and '.join(missing)}."


def repeated(values: Iterable[str]) -> list[str]:
    """Those that are there more than once, in their order."""
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return [value for value, count in counts.items() if count > 1]


def as_kept(text: str) -> str:
    """In small letters, without punctuation, symbols, spaces and control characters, of any script.

    Glific takes them out of keywords and of messages before it compares (glific/glific: Glific.string_clean).
    """
    return "".join(character for character in text if unicodedata.category(character)[0] not in "PSZC").lower()


LOWEST = 1_000_000
"""Pixels; Glific looks for the first node above this line of `_ui`."""
NOWHERE = (math.inf, math.inf)


def drawn_first(definition: Thing) -> str:
    """The uuid of what is drawn first, whether or not there is such a node; "" where nothing is drawn at a place."""
    drawn = thing(thing(definition.get("_ui")).get("nodes"))
    first = min(drawn, key=lambda uuid: _place(drawn[uuid]), default="")
    return first if first and _place(drawn[first]) != NOWHERE else ""


def _place(ui: Any) -> tuple[float, float]:
    """From the top, then from the left."""
    position = thing(thing(ui).get("position"))
    top, left = position.get("top"), position.get("left")
    return (top, left) if _is_near(top) and _is_near(left) else NOWHERE


def _is_near(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LOWEST


class Rounds:
    """Which nodes of a flow come back to themselves: found out once for all of them, in one pass over their exits."""

    def __init__(self, nodes: Iterable[Thing]) -> None:
        self._round_of = _rounds(_ways(nodes))

    def lead_back(self, uuid: str, exits: Iterable[Thing]) -> bool:
        """Whether these exits, which are the node's own, lead to it again in as many steps as it takes."""
        own = self._round_of.get(uuid)
        return own is not None and any(self._round_of.get(there) == own for there in _destinations(exits))


def _rounds(ways: Mapping[str, list[str]]) -> dict[str, str]:
    """For each node, the one that stands for all those that reach it and are reached by it (Kosaraju's algorithm)."""
    back: dict[str, list[str]] = {}
    for uuid, destinations in ways.items():
        for destination in destinations:
            back.setdefault(destination, []).append(uuid)
    found: dict[str, str] = {}
    for first in reversed(_from_the_end(ways)):
        todo = [first]
        while todo:
            if (uuid := todo.pop()) not in found:
                found[uuid] = first
                todo.extend(back.get(uuid, []))
    return found


def _from_the_end(ways: Mapping[str, list[str]]) -> list[str]:
    """Each node behind all that a search, which goes deep first, has reached through it."""
    order: list[str] = []
    seen: set[str] = set()
    todo = [(uuid, False) for uuid in ways]
    while todo:
        uuid, is_done = todo.pop()
        if is_done:
            order.append(uuid)
        elif uuid not in seen:
            seen.add(uuid)
            todo.append((uuid, True))
            todo.extend((there, False) for there in ways.get(uuid, []) if there not in seen)
    return order


def _ways(nodes: Iterable[Thing]) -> dict[str, list[str]]:
    ways: dict[str, list[str]] = {}
    for node in nodes:
        ways.setdefault(text(node.get("uuid")), []).extend(_destinations(things(node.get("exits"))))
    return ways


def _destinations(exits: Iterable[Thing]) -> list[str]:
    return texts([out.get("destination_uuid") for out in exits])
