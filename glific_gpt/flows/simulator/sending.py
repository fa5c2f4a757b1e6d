"""A flow's texts in the contact's language (glific/glific: Flows.Localization)."""

from typing import Any

from glific_gpt.flows.simulator.context import Context
from glific_gpt.flows.simulator.eex import items, to_string
from glific_gpt.flows.simulator.event_log import TroubleCode
from glific_gpt.flows.simulator.guards import check_text
from glific_gpt.flows.structure import thing
from glific_gpt.glific.variables import find_unresolved

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
"""The languages that Glific brings, by their labels."""


def message_text(context: Context, action: dict[str, Any]) -> str:
    return _first(_translation(context, action).get("text")) or to_string(action.get("text"))


def attachments(context: Context, action: dict[str, Any]) -> list[Any]:
    return items(_translation(context, action).get("attachments")) or items(action.get("attachments"))


def arguments(context: Context, case: dict[str, Any]) -> list[str]:
    """Of a case; a translation that is blank does not count."""
    translated = [to_string(each) for each in items(_translation(context, case).get("arguments"))]
    return translated if any(translated) else [to_string(each) for each in items(case.get("arguments"))]


def category_name(context: Context, category: dict[str, Any]) -> str:
    return _first(_translation(context, category).get("name")) or to_string(category.get("name"))


def _translation(context: Context, of: dict[str, Any]) -> dict[str, Any]:
    locale = LOCALES.get(context.world.person.language, "")
    return thing(thing(context.flow.localization.get(locale)).get(to_string(of.get("uuid"))))


def _first(value: Any) -> str:
    """The editor writes lists of one."""
    return to_string(next(iter(value), "")) if isinstance(value, list) else to_string(value)


LONGEST_MESSAGE = 4096
"""Characters of a message in WhatsApp."""


def send(context: Context, action: dict[str, Any]) -> None:
    """Raises Aborted for what Glific takes for a loop."""
    body = context.filled(message_text(context, action))
    attached = [to_string(each) for each in attachments(context, action) if to_string(each)]
    diary = context.world.diary
    if not body.strip() and not attached:
        diary.trouble(TroubleCode.EMPTY_MESSAGE, "A message without text cannot be sent.")
        return
    check_text(context, body)
    if len(body) > LONGEST_MESSAGE:
        says = f"A message of {len(body)} characters is refused by WhatsApp, which takes {LONGEST_MESSAGE}."
        diary.trouble(TroubleCode.TOO_LONG, says)
        return
    diary.flow(body)
    _tell(context, body, attached, templated=bool(action.get("templating")))


def _tell(context: Context, body: str, attached: list[str], *, templated: bool) -> None:
    diary = context.world.diary
    if attached:
        diary.note(f"With it comes {context.filled(attached[0])}")
    if templated:
        diary.note("It would be sent as a template, which is not simulated; this is its text in the flow.")
    for variable in find_unresolved(body):
        says = f"The person reads {variable}: there is nothing under that name, or it is empty."
        diary.trouble(TroubleCode.LITERAL_VARIABLE, says)
