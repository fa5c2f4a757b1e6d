"""What a terminal can show: its own characters, and nothing that steers it."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
from pydantic import BaseModel

# What a model or somebody else wrote must not move the cursor; line breaks stay.
_STEERING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]+")


def printable(text: str) -> str:
    """The text without control characters, with a question mark for what this terminal does not know."""
    encoding = sys.stdout.encoding or "ascii"
    return _STEERING.sub(" ", text).encode(encoding, "replace").decode(encoding)


def can_show(text: str) -> bool:
    """Whether all of it is left by `printable`."""
    return printable(text) == text


Object = Mapping[str, Any]

_META = "glific_gpt.json"

# A name that somebody else chose must not move the cursor or pass for another line.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def _remember(context: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001
    context.meta[_META] = value


json_option = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    callback=_remember,
    help="Print one JSON object or list, and nothing else.",
)
"""For every command that prints a result."""


def wants_json() -> bool:
    """Whether the running command was given --json."""
    return bool(click.get_current_context().meta.get(_META))


def emit(data: Object | Sequence[Object], text: str) -> None:
    """Prints the data for a program, or the text for a person."""
    click.echo(json.dumps(data) if wants_json() else text)


def plain(view: BaseModel) -> dict[str, Any]:
    """The view as JSON has it: moments in ISO 8601 and UTC, money in US dollars."""
    return view.model_dump(mode="json")


def fields(data: Object) -> str:
    """One `field: value` a line."""
    return "\n".join(f"{name}: {_words(value)}" for name, value in data.items())


def table(rows: Sequence[Object], columns: Mapping[str, str]) -> str:
    """Aligned columns under their headings; `columns` maps each row's key to its heading."""
    lines = [list(columns.values()), *([_words(row[key]) for key in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def shown_once(name: str, secret: str, use: str) -> str:
    """A secret set apart from what stands around it; `use` says what to do with it."""
    return f"\n{name}: {secret}\nKeep it now: it cannot be shown again. {use}"


def _words(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.9f}".rstrip("0").rstrip(".")
        case list():
            return ", ".join(map(_words, value)) or "none"
        case _:
            return _CONTROL.sub(" ", str(value))
