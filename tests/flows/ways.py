"""Where one can get to in a flow, found out in the plainest way."""

from collections.abc import Iterable

from tests.flows.exports import Json


def behind(exits: Iterable[Json], nodes: list[Json]) -> set[str]:
    """The uuids of all nodes that can be reached through these exits, in as many steps as it takes."""
    exits_of = {node["uuid"]: node["exits"] for node in nodes}
    seen: set[str] = set()
    todo = [*exits]
    while todo:
        uuid = todo.pop()["destination_uuid"]
        if uuid is not None and uuid not in seen:
            seen.add(uuid)
            todo.extend(exits_of.get(uuid, []))
    return seen
