"""Send a flow's messages, in the contact's language (glific/glific: Flows.Localization)."""

import unicodedata
from typing import Any

from glific_gpt.flows.simulator.context import Context
from glific_gpt.flows.simulator.event_log import FlowAborted, ProblemCode
from glific_gpt.flows.simulator.expressions import as_list, to_string
from glific_gpt.flows.simulator.guards import is_repeated_too_often, remember_text
from glific_gpt.flows.simulator.outcomes import EXIT_LOOP, Message
from glific_gpt.flows.structure import MAX_MESSAGE_CHARACTERS, JsonObject, as_object
from glific_gpt.flows.variables import UNKNOWN_ROOTS, find_joined, find_unresolved

_JOINERS = "\u200c\u200d"

LOCALES = {
    "English": "en",
    "Hindi": "hi",
    "Tamil": "ta",
    "Kannada": "kn",
    "Malayalam": "ml",
    "Telugu": "te",
    "Odia": "or",
    "Assamese": "as",
    "Gujarati": "gu",
    "Bengali": "bn",
    "Punjabi": "pa",
    "Marathi": "mr",
    "Urdu": "ur",
    "Spanish": "es",
    "Sign Language": "isl",
    "Indonesian": "id",
    "Swahili": "sw",
}
"""Glific's languages by label, in the order in which Glific creates them."""


def find_languages(text: str) -> list[str]:
    """Return the labels of the languages with a label or locale that begins with the text, in upper or lower case.

    Glific takes one of them (glific/glific: Settings.get_language_by_label_or_locale).
    """
    prefix = "en" if text == "en_US" else text.lower()
    return [label for label, locale in LOCALES.items() if label.lower().startswith(prefix) or locale.startswith(prefix)]


def count_characters(text: str) -> int:
    """Return the length of a message as Glific counts it: a letter and its marks are one character.

    It is exact for messages without joined emoji and flags, which this counts as several characters.
    """
    if len(text) <= MAX_MESSAGE_CHARACTERS:
        return len(text)
    return sum(character not in _JOINERS and unicodedata.category(character)[0] != "M" for character in text)


def send_message(context: Context, action: JsonObject) -> Message | None:
    """Record a message. Return `Exit Loop` in place of a message that was sent too often.

    Raises FlowAborted for a message that Glific cannot send: it ends the conversation.
    """
    text = context.fill(_message_text(context, action))
    attachments = [to_string(url) for url in _attachments(context, action) if to_string(url)]
    log = context.simulation.log
    if not text.strip() and not attachments:
        raise FlowAborted(
            "A message without text cannot be sent. Glific ends the conversation.", ProblemCode.EMPTY_MESSAGE
        )
    compared = text or context.fill(attachments[0])
    if is_repeated_too_often(context, compared):
        log.add_note(f'One node sends "{compared[:60]}" for the fifth time in 6 hours. Glific treats this as a loop.')
        return Message(EXIT_LOOP)
    if (length := count_characters(text)) > MAX_MESSAGE_CHARACTERS:
        raise FlowAborted(
            f"A message has {length} characters. Glific sends at most {MAX_MESSAGE_CHARACTERS}, and ends the "
            "conversation.",
            ProblemCode.TOO_LONG,
        )
    remember_text(context, compared)
    log.add_message(text)
    _add_notes(context, text, attachments, is_template=bool(action.get("templating")))
    return None


def _add_notes(context: Context, text: str, attachments: list[str], *, is_template: bool) -> None:
    log = context.simulation.log
    if attachments:
        log.add_note(f"With an attachment: {context.fill(attachments[0])}")
    if is_template:
        log.add_note("Glific would send a template, which is not simulated. This is the text in the flow.")
    joined = set(find_joined(text))
    for variable in find_unresolved(text):
        if variable in joined:
            log.add_problem(
                ProblemCode.LITERAL_VARIABLE,
                f"The person reads {variable}, because a letter or sign outside ASCII follows it directly. "
                f"Put a blank behind {variable}.",
            )
        elif variable.lower().startswith(UNKNOWN_ROOTS):
            log.add_note(f"The simulation does not know {variable}. Glific fills it if the organization has a value.")
        else:
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
