"""Where a flow comes back to."""

from collections.abc import Iterable, Mapping

from glific_gpt.flows.reading import Thing, text, texts, things


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
