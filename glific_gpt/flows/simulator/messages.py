"""Send a flow's messages, in the contact's language (glific/glific: Flows.Localization)."""

from typing import Any

from glific_gpt.flows.simulator.context import Context
from glific_gpt.flows.simulator.event_log import ProblemCode
from glific_gpt.flows.simulator.expressions import as_list, to_string
from glific_gpt.flows.simulator.guards import check_repeated_text
from glific_gpt.flows.structure import MAX_MESSAGE_CHARACTERS, JsonObject, as_object
from glific_gpt.flows.variables import find_unresolved

LOCALES = {
    "Assamese": "as",
    "Bengali": "bn",
    "English": "en",
    "Gujarati": "gu",
    "Hindi": "hi",
    "Indonesian": "id",
    "Kannada": "kn",
    "Malayalam": "ml",
    "Marathi": "mr",
    "Odia": "or",
    "Punjabi": "pa",
    "Sign Language": "isl",
    "Spanish": "es",
    "Swahili": "sw",
    "Tamil": "ta",
    "Telugu": "te",
    "Urdu": "ur",
}
"""Glific's languages by label."""


def send_message(context: Context, action: JsonObject) -> None:
    """Record a message, or the problem that prevents it. Raises FlowAborted for a repeated text."""
    text = context.fill(_message_text(context, action))
    attachments = [to_string(url) for url in _attachments(context, action) if to_string(url)]
    log = context.simulation.log
    if not text.strip() and not attachments:
        log.add_problem(ProblemCode.EMPTY_MESSAGE, "A message without text cannot be sent.")
        return
    check_repeated_text(context, text)
    if len(text) > MAX_MESSAGE_CHARACTERS:
        log.add_problem(
            ProblemCode.TOO_LONG,
            f"A message has {len(text)} characters. WhatsApp refuses more than {MAX_MESSAGE_CHARACTERS}.",
        )
        return
    log.add_message(text)
    _add_notes(context, text, attachments, is_template=bool(action.get("templating")))


def _add_notes(context: Context, text: str, attachments: list[str], *, is_template: bool) -> None:
    log = context.simulation.log
    if attachments:
        log.add_note(f"With an attachment: {context.fill(attachments[0])}")
    if is_template:
        log.add_note("Glific would send a template, which is not simulated. This is the text in the flow.")
    for variable in find_unresolved(text):
        log.add_problem(
            ProblemCode.LITERAL_VARIABLE, f"The person reads {variable}, because it has no value at this point."
        )


def _message_text(context: Context, action: JsonObject) -> str:
    return _first_string(_translation(context, action).get("text")) or to_string(action.get("text"))


def _attachments(context: Context, action: JsonObject) -> list[Any]:
    return as_list(_translation(context, action).get("attachments")) or as_list(action.get("attachments"))


def translate_arguments(context: Context, case: JsonObject) -> list[str]:
    """Return the arguments of a case in the contact's language; a blank translation is ignored."""
    translated = [to_string(argument) for argument in as_list(_translation(context, case).get("arguments"))]
    return translated if any(translated) else [to_string(argument) for argument in as_list(case.get("arguments"))]


def translate_category_name(context: Context, category: JsonObject) -> str:
    return _first_string(_translation(context, category).get("name")) or to_string(category.get("name"))


def _translation(context: Context, part: JsonObject) -> JsonObject:
    """Return the translated keys of a part of the flow."""
    locale = LOCALES.get(context.simulation.contact.language, "")
    return as_object(as_object(context.flow.localization.get(locale)).get(to_string(part.get("uuid"))))


def _first_string(value: Any) -> str:
    """Unwrap a list of one item, as the editor writes translations."""
    return to_string(next(iter(value), "")) if isinstance(value, list) else to_string(value)
