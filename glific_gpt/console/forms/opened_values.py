"""The values that a form was opened with, so that it saves only what the person changed, and notices other changes."""

from collections.abc import Mapping

from flask import request
from markupsafe import Markup

PREFIX = "was-"
HIDDEN_INPUT = Markup('<input type="hidden" name="{name}" value="{value}">')


def read_opened(name: str) -> str | None:
    """Return the value that a field had when the form was opened; None if the form did not say."""
    value = request.form.get(PREFIX + name)
    return None if value is None else normalize(value)


def normalize(text: str) -> str:
    """Return the text without what a browser changes when it sends a form."""
    return text.replace("\r\n", "\n").strip()


def hidden_inputs(values: Mapping[str, str]) -> Markup:
    """Return an input for each of these values."""
    return Markup().join(HIDDEN_INPUT.format(name=PREFIX + name, value=value) for name, value in values.items())
