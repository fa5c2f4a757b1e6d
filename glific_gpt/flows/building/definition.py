"""Steps and notes as the definition that Glific imports, each part of it with a uuid of its own."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypeAlias
from uuid import uuid4

from glific_gpt.flows.building.layout import Position
from glific_gpt.flows.building.messages import Sticky
from glific_gpt.flows.building.steps import Branch, Step

Json: TypeAlias = dict[str, Any]


def definition(
    name: str, steps: Mapping[str, Step], stickies: Mapping[str, Sticky], places: Mapping[str, Position]
) -> Json:
    """The flow as the editor saves it. Glific starts it at the node that `_ui` has at the top."""
    uuid, uuids = _new_uuid(), {key: _new_uuid() for key in steps}
    return {
        "name": name,
        "uuid": uuid,
        "vars": [uuid],
        "type": "messaging",
        "spec_version": "13.2.0",
        "language": "base",
        "localization": {},
        "expire_after_minutes": 10080,
        "nodes": [_node(step, uuids[key], uuids) for key, step in steps.items()],
        "_ui": {
            "nodes": {uuids[key]: _drawn(step, places[key]) for key, step in steps.items()},
            "stickies": {_new_uuid(): {**asdict(note), "position": places[key]} for key, note in stickies.items()},
        },
    }


def _drawn(step: Step, position: Position) -> Json:
    config = {} if step.config is None else {"config": step.config}
    return {"type": step.drawn_as, "position": position, **config}


def _node(step: Step, uuid: str, uuids: dict[str, str]) -> Json:
    exits = [_exit(branch, uuids) for branch in step.branches]
    node = {"uuid": uuid, "actions": list(step.actions), "exits": exits}
    return node | {"router": _router(step, exits)} if step.operand else node


def _exit(branch: Branch, uuids: dict[str, str]) -> Json:
    return {"uuid": _new_uuid(), "destination_uuid": uuids[branch.then] if branch.then else None}


def _router(step: Step, exits: list[Json]) -> Json:
    categories = [
        {"uuid": _new_uuid(), "name": branch.name, "exit_uuid": out["uuid"]}
        for branch, out in zip(step.branches, exits, strict=True)
    ]
    waiting = {"wait": {"type": "msg"}} if step.hears else {}
    keeping = {"result_name": step.keeps_as} if step.keeps_as else {}
    return {
        "type": "switch",
        "operand": step.operand,
        **waiting,
        **keeping,
        "cases": _cases(step, categories),
        "categories": categories,
        "default_category_uuid": _default(step, categories),
    }


def _cases(step: Step, categories: list[Json]) -> list[Json]:
    return [
        {"uuid": _new_uuid(), "type": case.kind, "arguments": list(case.arguments), "category_uuid": category["uuid"]}
        for branch, category in zip(step.branches, categories, strict=True)
        for case in branch.cases
    ]


def _default(step: Step, categories: list[Json]) -> str:
    (default,) = (at for at, branch in enumerate(step.branches) if not branch.cases)
    uuid: str = categories[default]["uuid"]
    return uuid


def _new_uuid() -> str:
    return str(uuid4())
