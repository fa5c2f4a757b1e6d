"""Output of commands: JSON or text, without control characters."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
from pydantic import BaseModel

# Text of models and contacts must not control the terminal. Line breaks stay.
_CONTROL_EXCEPT_LINE_BREAK = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]+")


def sanitize(text: str) -> str:
    """Replace control characters by spaces, and characters that the terminal cannot encode by question marks."""
    encoding = sys.stdout.encoding or "ascii"
    return remove_control_characters(text).encode(encoding, "replace").decode(encoding)


def remove_control_characters(text: str) -> str:
    """Replace control characters other than line breaks by spaces; keep characters that the terminal cannot encode."""
    return _CONTROL_EXCEPT_LINE_BREAK.sub(" ", text)


def can_encode(text: str) -> bool:
    """Return whether the terminal can show this text unchanged."""
    return sanitize(text) == text


JsonObject = Mapping[str, Any]

_META = "glific_gpt.json"

# Values in a table must not control the terminal or begin a new line.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def _store_flag(context: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001
    context.meta[_META] = value


json_option = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    callback=_store_flag,
    help="Print one JSON object or list, and nothing else.",
)
"""For every command that prints a result."""


def wants_json() -> bool:
    """Return whether the running command has the option --json."""
    return bool(click.get_current_context().meta.get(_META))


def print_result(data: JsonObject | Sequence[JsonObject], text: str) -> None:
    """Print the data as JSON with --json, otherwise the text."""
    # JSON needs no `sanitize`: json.dumps escapes control characters and everything outside ASCII.
    click.echo(json.dumps(data) if wants_json() else text)


def to_json(view: BaseModel) -> dict[str, Any]:
    """Return the view as JSON values: times in ISO 8601 and UTC, money in US dollars."""
    return view.model_dump(mode="json")


def quantity(number: int, name: str) -> str:
    """Return a number of things whose plural ends in -s: `1 call`, `1,200 calls`."""
    return f"1 {name}" if number == 1 else f"{number:,} {name}s"


def format_fields(data: JsonObject) -> str:
    """Format as lines of `field: value`."""
    return "\n".join(f"{name}: {_format_value(value)}" for name, value in data.items())


def format_table(rows: Sequence[JsonObject], columns: Mapping[str, str]) -> str:
    """Format as aligned columns. `columns` maps the keys of rows to headings."""
    lines = [list(columns.values()), *([_format_value(row[key]) for key in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def format_secret(name: str, secret: str, usage: str) -> str:
    """Format a secret on its own line. `usage` says what to do with it."""
    return f"\n{name}: {secret}\nSave it now. It cannot be shown again. {usage}"


def _format_value(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            # Sums are stored in billionths of a dollar. By default Python writes a small one as 1e-07.
            return f"{value:.9f}".rstrip("0").rstrip(".")
        case list():
            return ", ".join(map(_format_value, value)) or "none"
        case _:
            return _CONTROL.sub(" ", str(value))
