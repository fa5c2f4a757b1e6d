"""Where one can get to in a flow."""

from collections.abc import Iterable

from glific_gpt.flows.reading import Thing, text, texts, things


def behind(exits: Iterable[Thing], nodes: list[Thing]) -> set[str]:
    """The uuids of all nodes that can be reached through these exits, in as many steps as it takes."""
    ways = {text(node.get("uuid")): _destinations(things(node.get("exits"))) for node in nodes}
    seen: set[str] = set()
    todo = _destinations(exits)
    while todo:
        if (uuid := todo.pop()) not in seen:
            seen.add(uuid)
            todo.extend(ways.get(uuid, []))
    return seen


def _destinations(exits: Iterable[Thing]) -> list[str]:
    return texts([out.get("destination_uuid") for out in exits])
