"""The webhook nodes of an export: where they are, and whether the flow comes back to them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from glific_gpt.flows.converting.report import Node
from glific_gpt.flows.files import Export
from glific_gpt.flows.structure import Rounds, Thing, text, thing, things

Path = tuple[str | int, ...]


class Whole:
    """A flow's definition, with what is found out once for all its nodes, and only if one asks."""

    def __init__(self, definition: Thing) -> None:
        self.name = text(definition.get("name"))
        self._nodes = things(definition.get("nodes"))

    @cached_property
    def rounds(self) -> Rounds:
        return Rounds(self._nodes)

    @cached_property
    def silent_rounds(self) -> Rounds:
        """Those on which nobody writes."""
        return Rounds(node for node in self._nodes if not _hears(node))


@dataclass(frozen=True)
class Webhook:
    """One `call_webhook` action, and what is around it."""

    path: Path
    """The keys that lead to the action from the export down."""
    flow: Whole
    """The one it belongs to."""
    node: Thing
    action: Thing

    def calls_function(self) -> bool:
        """Whether it calls a function that Glific has built in (glific/glific: Flows.Webhook)."""
        return text(self.action.get("method")).lower() == "function" and text(self.action.get("url")) != ""

    def where(self) -> Node:
        address = text(self.action.get("url")).partition("?")[0]
        return Node(self.flow.name, text(self.node.get("uuid")), address, text(self.action.get("result_name")))

    def comes_back(self) -> bool:
        """Whether the flow can reach this node again in the same conversation."""
        return self.flow.rounds.lead_back(text(self.node.get("uuid")), things(self.node.get("exits")))

    def comes_back_unheard(self, *, after_failure: bool) -> bool:
        """Whether it can do so without that the person has written; `after_failure`: through that exit."""
        exits = things(self.node.get("exits"))
        if after_failure:
            categories = things(thing(self.node.get("router")).get("categories"))
            failures = [category.get("exit_uuid") for category in categories if category.get("name") == "Failure"]
            exits = [out for out in exits if out.get("uuid") in failures]
        return self.flow.silent_rounds.lead_back(text(self.node.get("uuid")), exits)


def webhooks(export: Export) -> Iterator[Webhook]:
    """In the order of the file. What is not shaped as Glific writes it is passed over."""
    for flow_path, flow in _each(export.get("flows"), ("flows",)):
        definition = thing(flow.get("definition"))
        whole = Whole(definition)
        for node_path, node in _each(definition.get("nodes"), (*flow_path, "definition", "nodes")):
            for path, action in _each(node.get("actions"), (*node_path, "actions")):
                if action.get("type") == "call_webhook":
                    yield Webhook(path, whole, node, action)


def _hears(node: Thing) -> bool:
    """Whether it waits for what the person writes."""
    return thing(thing(node.get("router")).get("wait")).get("type") == "msg"


def _each(found: Any, path: Path) -> Iterator[tuple[Path, Thing]]:
    for at, item in enumerate(found if isinstance(found, list) else []):
        if isinstance(item, dict):
            yield (*path, at), item
