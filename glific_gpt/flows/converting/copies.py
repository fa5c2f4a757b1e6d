"""The flows of a file under other names, to stand beside the old ones: Glific takes no uuid, name or keyword twice."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, count
from typing import Any
from uuid import uuid4

from glific_gpt.flows.building.spec import LONGEST_NAME
from glific_gpt.flows.converting import report
from glific_gpt.flows.converting.report import Node, Note, Remark, Renamed
from glific_gpt.flows.files import Export
from glific_gpt.flows.structure import Thing, as_kept, text, texts, thing, things

ENDING = "own key"
"""Behind a name, in brackets."""
KEYWORD_ENDING = "own"
"""Glific keeps letters and digits alone."""
ENTERING = ("enter_flow", "start_session")
"""The actions that name another flow (glific/glific: Flows.Action)."""


class Place(StrEnum):
    """Where a converted flow goes."""

    INSTEAD = "instead"
    """In the place of the old one, which must be deleted first: the flows stay themselves."""
    BESIDE = "beside"
    """Next to the old one, so that it can be tried first: the flows are others."""


@dataclass(frozen=True)
class Beside:
    """What became of a file's flows."""

    export: Export
    renamed: tuple[Renamed, ...]
    """One for each flow, in their order."""
    warnings: tuple[Note, ...]
    then: Remark


def beside(export: Export) -> Beside:
    """The flows with fresh uuids, other names and other keywords, which enter one another as before.

    Takes what `files.read` takes, and does not touch it. Nodes keep their uuids, as in a copy that Glific makes
    (glific/glific: Flows.copy_flow).
    """
    renamed = _renamed(export["flows"])
    anew: dict[str, Renamed] = {}
    for flow, other in zip(export["flows"], renamed, strict=True):
        anew.setdefault(text(flow["definition"].get("uuid")), other)
    anew.pop("", None)
    flows = [_flow(flow, other, anew) for flow, other in zip(export["flows"], renamed, strict=True)]
    return Beside({**export, "flows": flows}, renamed, tuple(_warnings(flows)), _then(renamed[0]))


def _renamed(flows: list[Thing]) -> tuple[Renamed, ...]:
    """None has what another one has, nor what the old ones have."""
    names = {_name(flow) for flow in flows}
    keywords = {as_kept(keyword) for flow in flows for keyword in texts(flow.get("keywords"))}
    return tuple(
        Renamed(
            _name(flow),
            _first_free(_names(_name(flow)), names),
            str(uuid4()),
            tuple(_first_free(_keywords(keyword), keywords) for keyword in _heard(flow)),
        )
        for flow in flows
    )


def _name(flow: Thing) -> str:
    return text(flow["definition"].get("name"))


def _heard(flow: Thing) -> list[str]:
    """Those of its keywords that Glific hears, as it keeps them."""
    kept = map(as_kept, texts(flow.get("keywords")))
    return list(dict.fromkeys(filter(None, kept)))


def _names(before: str) -> Iterator[str]:
    for number in chain([""], (f" {number}" for number in count(2))):
        ending = f" ({ENDING}{number})"
        yield (before[: LONGEST_NAME - len(ending)] + ending).strip()


def _keywords(before: str) -> Iterator[str]:
    yield from (f"{before}{KEYWORD_ENDING}{number}" for number in chain([""], count(2)))


def _first_free(candidates: Iterable[str], taken: set[str]) -> str:
    free = next(candidate for candidate in candidates if candidate not in taken)
    taken.add(free)
    return free


def _flow(flow: Thing, other: Renamed, anew: Mapping[str, Renamed]) -> Thing:
    definition = {**flow["definition"], "uuid": other.uuid, "name": other.name}
    definition["nodes"] = [
        _changed(node, "actions", lambda action: _action(action, anew)) for node in definition["nodes"]
    ]
    definition = _changed(definition, "vars", lambda uuid: anew[uuid].uuid if text(uuid) in anew else uuid)
    return {**flow, "definition": definition, "keywords": [*other.keywords]}


def _changed(owner: Any, key: str, change: Callable[[Any], Any]) -> Any:
    """A copy with each item of that list changed; as it is where there is no such list."""
    if not isinstance(owner, dict) or not isinstance(owner.get(key), list):
        return owner
    return {**owner, key: [change(item) for item in owner[key]]}


def _action(action: Any, anew: Mapping[str, Renamed]) -> Any:
    entered = _entered(action)
    other = anew.get(text(entered.get("uuid")))
    return {**action, "flow": {**entered, "uuid": other.uuid, "name": other.name}} if other else action


def _entered(action: Any) -> Thing:
    """The flow that it names, as it is written there; nothing for other actions."""
    return thing(action.get("flow")) if thing(action).get("type") in ENTERING else {}


def _warnings(flows: list[Thing]) -> Iterator[Note]:
    """What is found out while a person waits leads to where it led."""
    for flow in flows:
        for node in things(flow["definition"]["nodes"]):
            for action in things(node.get("actions")):
                if expression := text(_entered(action).get("expression")):
                    where = Node(flow["definition"]["name"], text(node.get("uuid")), action["type"], "")
                    yield Note(where, Remark(report.BY_EXPRESSION, {"expression": expression}))


def _then(first: Renamed) -> Remark:
    """The first flow of a file is the one that was exported; others are there because it enters them."""
    if not first.keywords:
        return Remark(report.THEN_BESIDE_WITHOUT_KEYWORD)
    return Remark(report.THEN_BESIDE, {"keyword": first.keywords[0]})
