"""What became of a flow's webhook nodes when it was converted, for people and for programs."""

import json
from collections.abc import Sequence

from glific_gpt.cli.output import Object
from glific_gpt.flows.converting import Note
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
    return "\n".join(parts)


def for_programs(made: Converted) -> str:
    """One JSON object: `changed`, `left` and `warnings` with a node each, `mind` with sentences about the whole."""
    done = made.conversion
    report = {
        "changed": [_plain(note) for note in done.changed],
        "left": [_plain(note) for note in done.left],
        "warnings": [_plain(note) for note in done.warnings],
        "mind": [str(caution) for caution in made.warnings],
    }
    return json.dumps(report)


def _lines(notes: Sequence[Note]) -> list[str]:
    return [f"  {_place(note)}: {note.says}" for note in notes]


def _place(note: Note) -> str:
    """A node has no name in Glific: its result does, and the last letters of its uuid stand in Glific's warnings."""
    return f'flow "{note.node.flow}", node {note.node.uuid[-4:]} (@results.{note.node.result_name})'


def _plain(note: Note) -> Object:
    node = note.node
    return {
        "flow": node.flow,
        "node": node.uuid,
        "function": node.function,
        "result_name": node.result_name,
        "says": note.says,
    }
