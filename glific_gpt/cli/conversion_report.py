"""What became of a flow's webhook nodes when it was converted, for people and for programs."""

import json
from collections.abc import Sequence

from glific_gpt.cli.output import Object
from glific_gpt.flows.converting import Note, Renamed
from glific_gpt.ready_flows import Converted

NOTHING = "No node was changed, so the file is as it was."


def for_people(made: Converted) -> str:
    done = made.conversion
    count = len(done.changed)
    head = f"Changed {count} node{'s' if count != 1 else ''}:" if count else NOTHING
    parts = [head, *_lines(done.changed)]
    if done.left:
        parts += ["Left as they are:", *_lines(done.left)]
    if done.warnings:
        parts += ["Look at these in Glific:", *_lines(done.warnings)]
    if done.renamed:
        parts += ["Beside the old:", *(f"  {each.remark}" for each in done.renamed)]
    if done.then:
        parts += ["Then, in Glific:", f"  {done.then}"]
    return "\n".join(parts)


def for_programs(made: Converted) -> str:
    """One JSON object: `changed`, `left` and `warnings` with a node each, `renamed` with a flow each.

    `then` is what to do with the file (null where it is as it was), `mind` has sentences about the whole.
    """
    done = made.conversion
    report = {
        "changed": [_plain(note) for note in done.changed],
        "left": [_plain(note) for note in done.left],
        "warnings": [_plain(note) for note in done.warnings],
        "renamed": [_other(each) for each in done.renamed],
        "then": str(done.then) if done.then else None,
        "mind": [str(caution) for caution in made.warnings],
    }
    return json.dumps(report)


def _lines(notes: Sequence[Note]) -> list[str]:
    return [f"  {_place(note)}: {note.says}" for note in notes]


def _place(note: Note) -> str:
    """A node has no name in Glific: its result does, and the last letters of its uuid stand in Glific's warnings."""
    saved = f" (@results.{note.node.result_name})" if note.node.result_name else ""
    return f'flow "{note.node.flow}", node {note.node.uuid[-4:]}{saved}'


def _other(renamed: Renamed) -> Object:
    return {"before": renamed.before, "name": renamed.name, "uuid": renamed.uuid, "keywords": [*renamed.keywords]}


def _plain(note: Note) -> Object:
    node = note.node
    return {
        "flow": node.flow,
        "node": node.uuid,
        "function": node.function,
        "result_name": node.result_name,
        "says": note.says,
    }
