"""A flow's definition as Glific loads it: nodes by uuid, and where it starts (glific/glific: Flows.Flow)."""

from dataclasses import dataclass, field
from typing import Any

from glific_gpt.flows.files import Export
from glific_gpt.flows.simulator.eex import items, to_string
from glific_gpt.flows.structure import as_kept, drawn_first, thing, things

DRAFT = "draft:"
"""Before a keyword: the flow as it is being edited, which here is the same."""


@dataclass(frozen=True)
class Node:
    """A node of a flow."""

    uuid: str
    actions: list[dict[str, Any]]
    router: dict[str, Any] | None
    exits: list[dict[str, Any]]

    @property
    def is_last(self) -> bool:
        """Whether nothing follows, by any of its exits."""
        return not any(to_string(each.get("destination_uuid")) for each in self.exits)


@dataclass(frozen=True)
class Flow:
    """A flow of an export."""

    id: int
    uuid: str
    name: str
    keywords: frozenset[str]
    nodes: dict[str, Node]
    start: str
    """The uuid of its first node; "" when it has none."""
    localization: dict[str, Any] = field(repr=False)

    @classmethod
    def of(cls, flow: dict[str, Any], number: int) -> "Flow":
        definition = thing(flow.get("definition"))
        nodes = {node.uuid: node for node in map(_node, things(definition.get("nodes")))}
        return cls(
            number,
            to_string(definition.get("uuid")),
            to_string(definition.get("name")),
            frozenset(to_string(each).lower() for each in items(flow.get("keywords"))),
            nodes,
            _start(definition, nodes),
            thing(definition.get("localization")),
        )

    def as_variables(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "uuid": self.uuid}


@dataclass(frozen=True)
class Flows:
    """The flows of one file; the first is the one that was exported."""

    all: tuple[Flow, ...]

    @classmethod
    def of(cls, export: Export, first_id: int) -> "Flows":
        flows = things(thing(export).get("flows"))
        return cls(tuple(Flow.of(flow, first_id + at) for at, flow in enumerate(flows)))

    def of_keyword(self, message: str) -> Flow | None:
        """The one that a message starts: as people write it, with capitals and punctuation."""
        keyword = as_kept(message.strip().lower().removeprefix(DRAFT))
        return next((flow for flow in self.all if keyword and keyword in flow.keywords), None)

    def of_uuid(self, uuid: str) -> Flow | None:
        return next((flow for flow in self.all if flow.uuid == uuid), None)


def _node(node: dict[str, Any]) -> Node:
    router = node.get("router")
    actions, exits = things(node.get("actions")), things(node.get("exits"))
    return Node(to_string(node.get("uuid")), actions, router if isinstance(router, dict) else None, exits)


def _start(definition: dict[str, Any], nodes: dict[str, Node]) -> str:
    """Not the first of the nodes, but the one that is drawn first."""
    uuid = drawn_first(definition)
    return uuid if uuid in nodes else ""
