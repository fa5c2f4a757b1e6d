"""Reports of a flow conversion, as text and as JSON."""

import json
from collections.abc import Sequence
from textwrap import indent

from glific_gpt.cli.output import JsonObject
from glific_gpt.flows.converting import NodeEdit, NodeReference, Note, RenamedFlow
from glific_gpt.operations.ready_flows import ConvertedFlowFile

NOTHING_CHANGED = "No node was changed. The file is the same as before."


def format_text_report(file: ConvertedFlowFile) -> str:
    conversion = file.conversion
    count = len(conversion.changed)
    verb = "Changed" if conversion.renamed else "Change by hand"
    head = f"{verb} {count} node{'s' if count != 1 else ''}:" if count else NOTHING_CHANGED
    parts = [head, *_lines(conversion.changed)]
    if conversion.unchanged:
        parts += ["Unchanged:", *_lines(conversion.unchanged)]
    if conversion.warnings:
        parts += ["Check these in Glific:", *_lines(conversion.warnings)]
    if conversion.renamed:
        parts += ["Renamed:", *(f"  {each.remark}" for each in conversion.renamed)]
    if conversion.next_step:
        parts += ["Next, in Glific:", f"  {conversion.next_step}"]
    return "\n".join(parts)


def format_json_report(file: ConvertedFlowFile) -> str:
    """Return a JSON object: lists `changed`, `left` and `warnings` of nodes, and `renamed` of flows.

    `then` says what to do with the file (null if nothing changed). `mind` has warnings about the whole file.
    """
    conversion = file.conversion
    report = {
        "changed": [_note_to_json(note) for note in conversion.changed],
        "left": [_note_to_json(note) for note in conversion.unchanged],
        "warnings": [_note_to_json(note) for note in conversion.warnings],
        "renamed": [_renamed_to_json(each) for each in conversion.renamed],
        "then": str(conversion.next_step) if conversion.next_step else None,
        "mind": [str(warning) for warning in file.warnings],
    }
    return json.dumps(report)


def format_edit(edit: NodeEdit) -> str:
    """Return the values to enter in a node, as they are named in Glific's editor."""
    body = "stays as it is" if edit.body is None else f"\n{indent(edit.body, '    ')}"
    lines = [
        f"{_capitalize(_describe_node(edit.node))}:",
        f"  Method: {edit.method}",
        f"  URL: {edit.url}",
        "  Headers:",
        *(f"    {name}: {value}" for name, value in edit.headers.items()),
        f"  POST Body: {body}".replace(" \n", "\n"),
    ]
    return "\n".join(lines)


def edit_to_json(edit: NodeEdit) -> JsonObject:
    """Return the values to enter in a node; `body` is null if it stays as it is."""
    node = edit.node
    return {
        "flow": node.flow,
        "node": node.uuid,
        "result_name": node.result_name,
        "method": edit.method,
        "url": edit.url,
        "headers": {**edit.headers},
        "body": edit.body,
    }


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lines(notes: Sequence[Note]) -> list[str]:
    return [f"  {_describe_node(note.node)}: {note.message}" for note in notes]


def _describe_node(node: NodeReference) -> str:
    """Describe a node by its result, and by the end of its uuid, which Glific shows in its warnings."""
    result = f" (@results.{node.result_name})" if node.result_name else ""
    return f'flow "{node.flow}", node {node.uuid[-4:]}{result}'


def _renamed_to_json(renamed: RenamedFlow) -> JsonObject:
    return {"before": renamed.before, "name": renamed.name, "uuid": renamed.uuid, "keywords": [*renamed.keywords]}


def _note_to_json(note: Note) -> JsonObject:
    node = note.node
    return {
        "flow": node.flow,
        "node": node.uuid,
        "function": node.function,
        "result_name": node.result_name,
        "says": note.message,
    }
