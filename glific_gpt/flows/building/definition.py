"""Turn steps and sticky notes into the flow definition that Glific imports, with a uuid for each part."""

from collections.abc import Mapping
from dataclasses import asdict
from uuid import uuid4

from glific_gpt.flows.building.layout import Position
from glific_gpt.flows.building.messages import StickyNote
from glific_gpt.flows.building.steps import Branch, Step
from glific_gpt.flows.structure import JsonObject


def build_definition(
    name: str, steps: Mapping[str, Step], notes: Mapping[str, StickyNote], positions: Mapping[str, Position]
) -> JsonObject:
    """Return the flow as Glific's editor saves it. Glific starts it at the topmost node of `_ui`."""
    flow_uuid, uuids = _new_uuid(), {key: _new_uuid() for key in steps}
    return {
        "name": name,
        "uuid": flow_uuid,
        "vars": [flow_uuid],
        "type": "messaging",
        "spec_version": "13.2.0",
        "language": "base",
        "localization": {},
        "expire_after_minutes": 10080,
        "nodes": [_node(step, uuids[key], uuids) for key, step in steps.items()],
        "_ui": {
            "nodes": {uuids[key]: _ui_node(step, positions[key]) for key, step in steps.items()},
            "stickies": {_new_uuid(): {**asdict(note), "position": positions[key]} for key, note in notes.items()},
        },
    }


def _ui_node(step: Step, position: Position) -> JsonObject:
    config = {} if step.ui_config is None else {"config": step.ui_config}
    return {"type": step.ui_type, "position": position, **config}


def _node(step: Step, uuid: str, uuids: dict[str, str]) -> JsonObject:
    exits = [_exit(branch, uuids) for branch in step.branches]
    node = {"uuid": uuid, "actions": list(step.actions), "exits": exits}
    return node | {"router": _router(step, exits)} if step.operand else node


def _exit(branch: Branch, uuids: dict[str, str]) -> JsonObject:
    return {"uuid": _new_uuid(), "destination_uuid": uuids[branch.then] if branch.then else None}


def _router(step: Step, exits: list[JsonObject]) -> JsonObject:
    categories = [
        {"uuid": _new_uuid(), "name": branch.name, "exit_uuid": node_exit["uuid"]}
        for branch, node_exit in zip(step.branches, exits, strict=True)
    ]
    wait = {"wait": {"type": "msg"}} if step.waits_for_reply else {}
    result_name = {"result_name": step.result_name} if step.result_name else {}
    return {
        "type": "switch",
        "operand": step.operand,
        **wait,
        **result_name,
        "cases": _cases(step, categories),
        "categories": categories,
        "default_category_uuid": _default_category_uuid(step, categories),
    }


def _cases(step: Step, categories: list[JsonObject]) -> list[JsonObject]:
    return [
        {"uuid": _new_uuid(), "type": case.kind, "arguments": list(case.arguments), "category_uuid": category["uuid"]}
        for branch, category in zip(step.branches, categories, strict=True)
        for case in branch.cases
    ]


def _default_category_uuid(step: Step, categories: list[JsonObject]) -> str:
    """Return the category of the one branch without cases."""
    (default,) = (index for index, branch in enumerate(step.branches) if not branch.cases)
    uuid: str = categories[default]["uuid"]
    return uuid


def _new_uuid() -> str:
    return str(uuid4())
