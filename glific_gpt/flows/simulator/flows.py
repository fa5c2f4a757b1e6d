"""The flows of an export as Glific loads them: nodes by uuid, and the start node (glific/glific: Flows.Flow)."""

from dataclasses import dataclass, field
from typing import Any

from glific_gpt.flows.files import Export
from glific_gpt.flows.simulator.expressions import as_list, to_string
from glific_gpt.flows.structure import JsonObject, as_object, find_start_uuid, normalize_keyword, object_items

DRAFT_PREFIX = "draft:"
"""Before a keyword, it starts the draft of a flow. In the simulation this is the same flow."""


@dataclass(frozen=True)
class Node:
    """A node of a flow."""

    uuid: str
    actions: list[JsonObject]
    router: JsonObject | None
    exits: list[JsonObject]

    @property
    def is_last(self) -> bool:
        """True if none of its exits leads to another node."""
        return not any(to_string(node_exit.get("destination_uuid")) for node_exit in self.exits)


@dataclass(frozen=True)
class Flow:
    """A flow of an export."""

    id: int
    uuid: str
    name: str
    keywords: frozenset[str]
    nodes: dict[str, Node]
    start_uuid: str
    """The uuid of its first node; "" if it has none."""
    localization: JsonObject = field(repr=False)

    @classmethod
    def from_export(cls, flow: JsonObject, flow_id: int) -> "Flow":
        definition = as_object(flow.get("definition"))
        nodes = {node.uuid: node for node in map(_parse_node, object_items(definition.get("nodes")))}
        start_uuid = find_start_uuid(definition)
        return cls(
            id=flow_id,
            uuid=to_string(definition.get("uuid")),
            name=to_string(definition.get("name")),
            keywords=frozenset(to_string(keyword).lower() for keyword in as_list(flow.get("keywords"))),
            nodes=nodes,
            start_uuid=start_uuid if start_uuid in nodes else "",
            localization=as_object(definition.get("localization")),
        )

    def as_variables(self) -> dict[str, Any]:
        """Return the values of `@flow.`."""
        return {"id": self.id, "name": self.name, "uuid": self.uuid}


@dataclass(frozen=True)
class Flows:
    """The flows of one file. The first one was exported; the others are included because it enters them."""

    all: tuple[Flow, ...]

    @classmethod
    def from_export(cls, export: Export, first_id: int) -> "Flows":
        flows = object_items(as_object(export).get("flows"))
        return cls(tuple(Flow.from_export(flow, flow_id) for flow_id, flow in enumerate(flows, first_id)))

    def find_by_keyword(self, message: str) -> Flow | None:
        """Return the flow that a message starts, ignoring case and punctuation."""
        keyword = normalize_keyword(message.strip().lower().removeprefix(DRAFT_PREFIX))
        return next((flow for flow in self.all if keyword and keyword in flow.keywords), None)

    def find_by_uuid(self, uuid: str) -> Flow | None:
        return next((flow for flow in self.all if flow.uuid == uuid), None)


def _parse_node(node: JsonObject) -> Node:
    router = node.get("router")
    return Node(
        uuid=to_string(node.get("uuid")),
        actions=object_items(node.get("actions")),
        router=router if isinstance(router, dict) else None,
        exits=object_items(node.get("exits")),
    )
