"""Copy the flows of a file under other names, to import them beside the old ones.

Glific refuses a second flow of the same uuid, name or keyword.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, count
from typing import Any
from uuid import uuid4

from glific_gpt.flows.building.spec import MAX_NAME_LENGTH
from glific_gpt.flows.converting import report
from glific_gpt.flows.converting.report import NodeReference, Note, Remark, RenamedFlow
from glific_gpt.flows.files import Export
from glific_gpt.flows.structure import (
    JsonObject,
    as_object,
    as_string,
    normalize_keyword,
    object_items,
    string_items,
)

NAME_SUFFIX = "own key"
"""Added to names, in brackets."""
KEYWORD_SUFFIX = "own"
"""Added to keywords. Glific keeps their letters and digits only."""
FLOW_ACTIONS = ("enter_flow", "start_session")
"""The actions that refer to another flow (glific/glific: Flows.Action)."""


class Placement(StrEnum):
    """How a converted flow comes into Glific."""

    COPY = "beside"
    """As another flow beside the old one, so that it can be tried first."""
    IN_PLACE = "in-place"
    """Not at all: its author changes the nodes of the old flow by hand.

    Glific takes no second flow of the same name, and to remove the first one would remove its results, triggers and
    logs too.
    """


@dataclass(frozen=True)
class CopiedFlows:
    """The flows of a file under other names."""

    export: Export
    renamed: tuple[RenamedFlow, ...]
    """One for each flow, in the order of the file."""
    warnings: tuple[Note, ...]
    next_step: Remark


def copy_flows(export: Export) -> CopiedFlows:
    """Return the flows with new uuids, names and keywords; references between them are updated.

    Requires an export that `files.parse_export` accepts, and does not modify it. Nodes keep their uuids, as in
    a copy that Glific makes (glific/glific: Flows.copy_flow).
    """
    renamed = _rename_all(export["flows"])
    renamed_by_uuid: dict[str, RenamedFlow] = {}
    for flow, new in zip(export["flows"], renamed, strict=True):
        renamed_by_uuid.setdefault(as_string(flow["definition"].get("uuid")), new)
    # No action can refer to a flow without a uuid.
    renamed_by_uuid.pop("", None)
    flows = [_copy_flow(flow, new, renamed_by_uuid) for flow, new in zip(export["flows"], renamed, strict=True)]
    warnings = tuple(_find_flow_expressions(flows))
    return CopiedFlows({**export, "flows": flows}, renamed, warnings, _next_step(renamed[0]))


def _rename_all(flows: list[JsonObject]) -> tuple[RenamedFlow, ...]:
    """Choose names and keywords that no old or new flow of the file has."""
    names = {_name(flow) for flow in flows}
    keywords = {normalize_keyword(keyword) for flow in flows for keyword in string_items(flow.get("keywords"))}
    return tuple(
        RenamedFlow(
            _name(flow),
            _take_first_free(_name_candidates(_name(flow)), names),
            str(uuid4()),
            tuple(_take_first_free(_keyword_candidates(keyword), keywords) for keyword in _usable_keywords(flow)),
        )
        for flow in flows
    )


def _name(flow: JsonObject) -> str:
    return as_string(flow["definition"].get("name"))


def _usable_keywords(flow: JsonObject) -> list[str]:
    """Return the normalized keywords; one without letters or digits never matches in Glific, so leave it out."""
    normalized = map(normalize_keyword, string_items(flow.get("keywords")))
    return list(dict.fromkeys(filter(None, normalized)))


def _name_candidates(name: str) -> Iterator[str]:
    for number in chain([""], (f" {number}" for number in count(2))):
        suffix = f" ({NAME_SUFFIX}{number})"
        yield (name[: MAX_NAME_LENGTH - len(suffix)] + suffix).strip()


def _keyword_candidates(keyword: str) -> Iterator[str]:
    yield from (f"{keyword}{KEYWORD_SUFFIX}{number}" for number in chain([""], count(2)))


def _take_first_free(candidates: Iterable[str], taken: set[str]) -> str:
    free = next(candidate for candidate in candidates if candidate not in taken)
    taken.add(free)
    return free


def _copy_flow(flow: JsonObject, new: RenamedFlow, renamed_by_uuid: Mapping[str, RenamedFlow]) -> JsonObject:
    definition = {**flow["definition"], "uuid": new.uuid, "name": new.name}
    definition["nodes"] = [
        _map_list(node, "actions", lambda action: _update_reference(action, renamed_by_uuid))
        for node in definition["nodes"]
    ]
    definition = _map_list(
        definition, "vars", lambda uuid: renamed_by_uuid[uuid].uuid if as_string(uuid) in renamed_by_uuid else uuid
    )
    return {**flow, "definition": definition, "keywords": [*new.keywords]}


def _map_list(owner: Any, key: str, change: Callable[[Any], Any]) -> Any:
    """Return a copy with each item of the list under the key changed; the owner itself if there is no such list."""
    if not isinstance(owner, dict) or not isinstance(owner.get(key), list):
        return owner
    return {**owner, key: [change(item) for item in owner[key]]}


def _update_reference(action: Any, renamed_by_uuid: Mapping[str, RenamedFlow]) -> Any:
    reference = _flow_reference(action)
    new = renamed_by_uuid.get(as_string(reference.get("uuid")))
    return {**action, "flow": {**reference, "uuid": new.uuid, "name": new.name}} if new else action


def _flow_reference(action: Any) -> JsonObject:
    """Return the reference to another flow; an empty object for an action without one."""
    return as_object(action.get("flow")) if as_object(action).get("type") in FLOW_ACTIONS else {}


def _find_flow_expressions(flows: list[JsonObject]) -> Iterator[Note]:
    """Yield a warning for each flow that is chosen by an expression: its result still refers to the old flow."""
    for flow in flows:
        for node in object_items(flow["definition"]["nodes"]):
            for action in object_items(node.get("actions")):
                if expression := as_string(_flow_reference(action).get("expression")):
                    node_uuid = as_string(node.get("uuid"))
                    reference = NodeReference(flow["definition"]["name"], node_uuid, action["type"], "")
                    yield Note(reference, Remark(report.FLOW_EXPRESSION, {"expression": expression}))


def _next_step(first: RenamedFlow) -> Remark:
    """Return the instructions for the first flow: it was exported, the others are included because it enters them."""
    if not first.keywords:
        return Remark(report.NEXT_STEP_COPY_WITHOUT_KEYWORD)
    return Remark(report.NEXT_STEP_COPY, {"keyword": first.keywords[0]})
