"""The webhook nodes of an export: where they are, and whether the flow comes back to them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from glific_gpt.flows.converting.report import Node
from glific_gpt.flows.files import Export
from glific_gpt.flows.reading import Thing, text, thing, things
from glific_gpt.flows.ways import behind

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Webhook:
    """One `call_webhook` action, and what is around it."""

    path: Path
    """The keys that lead to the action from the export down."""
    flow: Thing
    """The definition it belongs to."""
    node: Thing
    action: Thing

    def calls_function(self) -> bool:
        """Whether it calls a function that Glific has built in (glific/glific: Flows.Webhook)."""
        return text(self.action.get("method")).lower() == "function" and text(self.action.get("url")) != ""

    def where(self) -> Node:
        address = text(self.action.get("url")).partition("?")[0]
        return Node(
            text(self.flow.get("name")), text(self.node.get("uuid")), address, text(self.action.get("result_name"))
        )

    def comes_back(self) -> bool:
        """Whether the flow can reach this node again in the same conversation."""
        return self._is_behind(things(self.node.get("exits")))

    def comes_back_after_failure(self) -> bool:
        categories = things(thing(self.node.get("router")).get("categories"))
        failures = [category.get("exit_uuid") for category in categories if category.get("name") == "Failure"]
        return self._is_behind(out for out in things(self.node.get("exits")) if out.get("uuid") in failures)

    def _is_behind(self, exits: Iterable[Thing]) -> bool:
        return text(self.node.get("uuid")) in behind(exits, things(self.flow.get("nodes")))


def webhooks(export: Export) -> Iterator[Webhook]:
    """In the order of the file. What is not shaped as Glific writes it is passed over."""
    for flow_path, flow in _each(export.get("flows"), ("flows",)):
        definition = thing(flow.get("definition"))
        for node_path, node in _each(definition.get("nodes"), (*flow_path, "definition", "nodes")):
            for path, action in _each(node.get("actions"), (*node_path, "actions")):
                if action.get("type") == "call_webhook":
                    yield Webhook(path, definition, node, action)


def _each(found: Any, path: Path) -> Iterator[tuple[Path, Thing]]:
    for at, item in enumerate(found if isinstance(found, list) else []):
        if isinstance(item, dict):
            yield (*path, at), item
