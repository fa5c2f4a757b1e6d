"""Find the webhook nodes of an export, whether a flow returns to them, and whether it continues their threads."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from glific_gpt.flows.converting.report import NodeReference
from glific_gpt.flows.files import Export
from glific_gpt.flows.structure import CycleFinder, JsonObject, as_object, as_string, object_items
from glific_gpt.flows.threads import find_threads_read

Path = tuple[str | int, ...]


class FlowFacts:
    """The cycles and threads of one flow, computed once for all its nodes and only if needed."""

    def __init__(self, definition: JsonObject) -> None:
        self._definition = definition
        self.flow_name = as_string(definition.get("name"))
        self._nodes = object_items(definition.get("nodes"))

    @cached_property
    def cycles(self) -> CycleFinder:
        return CycleFinder(self._nodes)

    @cached_property
    def threads_read(self) -> set[str]:
        """Names of the results, in lower case, whose thread_id a node sends."""
        return find_threads_read(self._definition)

    @cached_property
    def cycles_without_reply(self) -> CycleFinder:
        """Cycles on which the flow does not wait for a reply."""
        return CycleFinder(node for node in self._nodes if not _waits_for_reply(node))


@dataclass(frozen=True)
class Webhook:
    """A `call_webhook` action and its context."""

    path: Path
    """The keys that lead from the export to the action."""
    flow: FlowFacts
    """The flow that the node belongs to."""
    node: JsonObject
    action: JsonObject

    def is_function_call(self) -> bool:
        """Return whether it calls a built-in function of Glific (glific/glific: Flows.Webhook)."""
        return as_string(self.action.get("method")).lower() == "function" and as_string(self.action.get("url")) != ""

    def reference(self) -> NodeReference:
        return NodeReference(
            flow=self.flow.flow_name,
            uuid=as_string(self.node.get("uuid")),
            function=as_string(self.action.get("url")).partition("?")[0],
            result_name=as_string(self.action.get("result_name")),
        )

    def is_thread_read(self) -> bool:
        """Return whether a node of the flow sends the thread_id of this node's result."""
        return self.reference().result_name.lower() in self.flow.threads_read

    def is_on_cycle(self) -> bool:
        """Return whether the flow can reach this node again in the same conversation."""
        return self.flow.cycles.returns_to(as_string(self.node.get("uuid")), object_items(self.node.get("exits")))

    def returns_without_reply(self, *, after_failure: bool) -> bool:
        """Return whether the flow can reach this node again before the user replies.

        With `after_failure` only the exit of the category Failure is followed.
        """
        exits = object_items(self.node.get("exits"))
        if after_failure:
            categories = object_items(as_object(self.node.get("router")).get("categories"))
            failures = [category.get("exit_uuid") for category in categories if category.get("name") == "Failure"]
            exits = [node_exit for node_exit in exits if node_exit.get("uuid") in failures]
        return self.flow.cycles_without_reply.returns_to(as_string(self.node.get("uuid")), exits)


def find_webhooks(export: Export) -> Iterator[Webhook]:
    """Yield the webhooks in the order of the file, and skip parts of an unknown shape."""
    for flow_path, flow in _objects_with_path(export.get("flows"), ("flows",)):
        definition = as_object(flow.get("definition"))
        facts = FlowFacts(definition)
        for node_path, node in _objects_with_path(definition.get("nodes"), (*flow_path, "definition", "nodes")):
            for path, action in _objects_with_path(node.get("actions"), (*node_path, "actions")):
                if action.get("type") == "call_webhook":
                    yield Webhook(path, facts, node, action)


def _waits_for_reply(node: JsonObject) -> bool:
    return as_object(as_object(node.get("router")).get("wait")).get("type") == "msg"


def _objects_with_path(value: Any, path: Path) -> Iterator[tuple[Path, JsonObject]]:
    for index, item in enumerate(value if isinstance(value, list) else []):
        if isinstance(item, dict):
            yield (*path, index), item
