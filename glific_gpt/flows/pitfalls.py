"""Pitfalls of a flow that its author cannot see: what Glific does not import, publish or fill."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from glific_gpt.flows.files import parse_body
from glific_gpt.flows.structure import JsonObject, as_object, as_string, object_items
from glific_gpt.flows.suspicious_code import find_suspicious_code
from glific_gpt.flows.threads import find_lost_thread, find_results_with_thread
from glific_gpt.flows.variables import find_joined

DEPRECATED_FUNCTIONS = {
    "speech_to_text_with_bhasini": "speech_to_text",
    "text_to_speech_with_bhasini": "text_to_speech",
    "nmt_tts_with_bhasini": "text_to_speech",
}
"""Functions with which Glific publishes no flow, and their replacements (glific/glific: Flows.Action.validate)."""


class PitfallKind(Enum):
    """The kind of a pitfall. The comments say what `Pitfall.value` holds."""

    ASSISTANT_ID = auto()
    """The import empties the id of an assistant: the id."""
    DEPRECATED_FUNCTION = auto()
    """Glific does not publish the flow: the function."""
    MISSING_TEMPLATE = auto()
    """The import fails, because the file has no such interactive template: its name."""
    JOINED_VARIABLE = auto()
    """Glific does not fill a variable that is directly followed by a letter outside ASCII: the variable."""
    SUSPICIOUS_CODE = auto()
    """Glific does not publish a flow with this in a value that it evaluates: the part that it finds suspicious."""
    EMPTY_QUESTION = auto()
    """The body of a GPT node has a blank question_text, as in the template of Glific's editor: the function."""
    LOST_MEMORY = auto()
    """The body's thread_id reads a result that never has one, so that each question begins a conversation: the
    variable."""


@dataclass(frozen=True)
class Pitfall:
    """A pitfall of one node."""

    kind: PitfallKind
    flow: JsonObject
    """The flow's definition."""
    node: JsonObject
    action: JsonObject
    """An empty object for a text that belongs to no action."""
    value: str


def find_pitfalls(export: Any) -> Iterator[Pitfall]:
    """Yield the pitfalls in the order of the file. Accepts any JSON, and never raises."""
    templates = {_to_id(template.get("source_id")) for template in object_items(_get(export, "interactive_templates"))}
    for flow in object_items(_get(export, "flows")):
        definition = as_object(flow.get("definition"))
        translations, threads = _translations(definition), find_results_with_thread(definition)
        for node in object_items(definition.get("nodes")):
            for action in object_items(node.get("actions")):
                for kind, value in _action_pitfalls(action, templates, translations):
                    yield Pitfall(kind, definition, node, action, value)
                if (variable := find_lost_thread(action, threads)) is not None:
                    yield Pitfall(PitfallKind.LOST_MEMORY, definition, node, action, variable)
            for kind, value in _operand_pitfalls(as_object(node.get("router")).get("operand")):
                yield Pitfall(kind, definition, node, {}, value)


def _get(export: Any, key: str) -> Any:
    return export.get(key) if isinstance(export, dict) else None


def _action_pitfalls(
    action: JsonObject, templates: set[int | None], translations: dict[str, list[Any]]
) -> Iterator[tuple[PitfallKind, str]]:
    if action.get("type") == "send_interactive_msg" and _to_id(action.get("id")) not in templates - {None}:
        yield PitfallKind.MISSING_TEMPLATE, as_string(action.get("name"))
    for code in find_suspicious_code(as_string(action.get("value"))):
        yield PitfallKind.SUSPICIOUS_CODE, code
    texts: list[Any] = [action.get(key) for key in ("text", "value", "name")]
    if action.get("type") == "call_webhook":
        body = parse_body(action)
        yield from _webhook_pitfalls(action, body)
        texts = [action.get("url"), action.get("headers"), body]
    for variable in _joined_variables([*texts, translations.get(as_string(action.get("uuid")))]):
        yield PitfallKind.JOINED_VARIABLE, variable


def _operand_pitfalls(operand: Any) -> Iterator[tuple[PitfallKind, str]]:
    for code in find_suspicious_code(as_string(operand)):
        yield PitfallKind.SUSPICIOUS_CODE, code
    for variable in _joined_variables([operand]):
        yield PitfallKind.JOINED_VARIABLE, variable


def _webhook_pitfalls(action: JsonObject, body: JsonObject) -> Iterator[tuple[PitfallKind, str]]:
    function = as_string(action.get("url"))
    if function in DEPRECATED_FUNCTIONS:
        yield PitfallKind.DEPRECATED_FUNCTION, function
    if as_string(body.get("assistant_id")):
        yield PitfallKind.ASSISTANT_ID, body["assistant_id"]
    question = body.get("question_text")
    if isinstance(question, str) and not question.strip():
        yield PitfallKind.EMPTY_QUESTION, function


def _to_id(value: Any) -> int | None:
    """Return an id as Glific's import reads it, as a number or as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _translations(definition: JsonObject) -> dict[str, list[Any]]:
    """Return the translations of all languages by the uuid of the translated part."""
    by_uuid: dict[str, list[Any]] = {}
    for language in as_object(definition.get("localization")).values():
        for uuid, translation in as_object(language).items():
            by_uuid.setdefault(uuid, []).append(translation)
    return by_uuid


def _joined_variables(values: list[Any]) -> list[str]:
    """Return the joined variables in all texts of the values, without duplicates.

    `@results.x` alone is not among them, because Glific fills the reply x by a plain search.
    """
    found: dict[str, None] = {}
    pending = [value for value in reversed(values) if value]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            joined = find_joined(value)
            found |= dict.fromkeys(each for each in joined if each.count(".") > 1 or not _is_result(each))
        elif isinstance(value, dict):
            pending.extend(reversed(value.values()))
        elif isinstance(value, list):
            pending.extend(reversed(value))
    return [*found]


def _is_result(variable: str) -> bool:
    return variable.lower().startswith("@results.")
