"""The values that a form was opened with, so that it saves only what the person changed, and notices other changes."""

from collections.abc import Mapping

from flask import request
from flask_babel import gettext
from markupsafe import Markup

PREFIX = "was-"
HIDDEN_INPUT = Markup('<input type="hidden" name="{name}" value="{value}">')


def read_opened(name: str) -> str | None:
    """Return the value that a field had when the form was opened; None if the form did not say."""
    value = request.form.get(PREFIX + name)
    return None if value is None else normalize(value)


def is_changed(name: str, typed: str) -> bool:
    """Return whether the person has changed a field. Programs do not know opened values, so they change everything."""
    return read_opened(name) != typed


def is_conflict(name: str, typed: str, stored: str) -> bool:
    """Return whether the person and a colleague have changed the same field in different ways."""
    opened = read_opened(name)
    return opened is not None and typed != opened and stored not in {opened, typed}


def describe_conflict(shown: str) -> str:
    """Describe the colleague's change, with the value as the person reads it."""
    text: str = gettext(
        "A colleague has changed this to “%(value)s” since you opened the page. Save again to replace it.",
        value=shown,
    )
    return text


def normalize(text: str) -> str:
    """Return the text without what a browser changes when it sends a form."""
    return text.replace("\r\n", "\n").strip()


def hidden_inputs(values: Mapping[str, str]) -> Markup:
    """Return an input for each of these values."""
    return Markup().join(HIDDEN_INPUT.format(name=PREFIX + name, value=value) for name, value in values.items())
