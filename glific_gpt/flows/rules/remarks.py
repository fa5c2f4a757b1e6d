"""Pitfalls of flows as sentences: those that break a rule of Glific's, and those that the author should know."""

from collections.abc import Iterator
from typing import Any

from glific_gpt.flows.pitfalls import DEPRECATED_FUNCTIONS, Pitfall, PitfallKind, find_pitfalls
from glific_gpt.flows.structure import as_string

_VIOLATIONS = {
    PitfallKind.DEPRECATED_FUNCTION: "it calls {value}, with which Glific publishes no flow. Use {replacement}.",
    PitfallKind.MISSING_TEMPLATE: 'its interactive template "{value}" is not in the file, so the import fails.',
    PitfallKind.SUSPICIOUS_CODE: (
        'Glific takes "{value}" in its value for suspicious code, and publishes no such flow. Write it in another way.'
    ),
    PitfallKind.JOINED_VARIABLE: (
        "a letter or sign outside ASCII follows {value} directly, so Glific does not fill it. Put a blank behind "
        "{value}."
    ),
}
_REMARKS = {
    PitfallKind.ASSISTANT_ID: "importing the file empties its assistant_id. Enter {value} again after the import.",
    PitfallKind.LOST_MEMORY: (
        "its thread_id reads {value}, which no node of the flow saves, so each question begins a new conversation. "
        "Read the result of a node that has thread_id in its own body."
    ),
    PitfallKind.EMPTY_QUESTION: (
        "its question_text is empty, as in the editor's template. Enter a variable such as @results.question_1.input."
    ),
}


def list_violations(export: Any) -> Iterator[str]:
    """Yield a sentence for each pitfall with which Glific does not import, publish or fill a flow."""
    yield from _describe(export, _VIOLATIONS)


def list_remarks(export: Any) -> Iterator[str]:
    """Yield a sentence for each other pitfall."""
    yield from _describe(export, _REMARKS)


def _describe(export: Any, templates: dict[PitfallKind, str]) -> Iterator[str]:
    for pitfall in find_pitfalls(export):
        if template := templates.get(pitfall.kind):
            replacement = DEPRECATED_FUNCTIONS.get(pitfall.value, "")
            yield f"{_subject(pitfall)}: {template.format(value=pitfall.value, replacement=replacement)}"


def _subject(pitfall: Pitfall) -> str:
    return f'Flow "{as_string(pitfall.flow.get("name"))}", node {as_string(pitfall.node.get("uuid"))[-4:]}'
