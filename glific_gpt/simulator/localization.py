"""A flow's texts in the contact's language (glific/glific: Flows.Localization)."""

from typing import Any

from glific_gpt.flows.reading import thing
from glific_gpt.simulator.context import Context
from glific_gpt.simulator.elixir import items, to_string

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
