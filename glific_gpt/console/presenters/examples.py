"""Example values of functions, in the language of the page."""

from typing import Any

from flask_babel import gettext
from pydantic import JsonValue

from glific_gpt.functions.contract import Function


def translate_example(function: Function[Any]) -> dict[str, JsonValue]:
    """Return the example body of a function. Texts without a translation, such as those of plugins, stay English."""
    # The translation of an empty text is the header of the catalogue.
    return {
        name: gettext(value) if isinstance(value, str) and value else value for name, value in function.example.items()
    }
