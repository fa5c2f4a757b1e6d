"""Values as Elixir makes them of JSON of which nothing is known: its texts, its lists, its whole numbers."""

import re
from typing import Any


def to_string(value: Any) -> str:
    """A text as it is, a number or truth value as Elixir writes it, nothing of anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else ""


def items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def whole(value: Any) -> int | None:
    """A whole number of at most nine digits, or the text of one; None for anything else."""
    found = re.fullmatch(r"\s*([+-]?[0-9]{1,9})\s*", to_string(value))
    return int(found[1]) if found else None
