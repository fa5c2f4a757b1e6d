"""JSON of which nothing is known, read as what it should be: a file may be any author's, an answer any server's."""

import re
from typing import Any


def text(value: Any) -> str:
    """A text as it is, a number or truth value as Elixir writes it, nothing of anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else ""


def table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def tables(value: Any) -> list[dict[str, Any]]:
    return [each for each in items(value) if isinstance(each, dict)]


def whole(value: Any) -> int | None:
    """A whole number of at most nine digits, or the text of one; None for anything else."""
    found = re.fullmatch(r"\s*([+-]?[0-9]{1,9})\s*", text(value))
    return int(found[1]) if found else None
