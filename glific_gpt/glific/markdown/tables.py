"""Render Markdown's tables as lines of `header: value`, because columns do not fit on a phone."""

import re
from collections.abc import Callable, Sequence
from itertools import zip_longest

MAX_CELLS = 4000
_DELIMITER = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*")
_MAX_DELIMITER = 2000
_CELL_END = re.compile(r"(?<!\\)\|")


def is_table(header: str, delimiter: str) -> bool:
    """Return whether two lines begin a table: a row, and a line of dashes with as many columns."""
    return (
        "|" in header
        and "-" in delimiter
        and len(delimiter) <= _MAX_DELIMITER
        and bool(_DELIMITER.fullmatch(delimiter))
        and ("|" in delimiter or len(split_row(header)) == 1)
    )


def split_row(line: str) -> list[str]:
    """Return the cells of a row. A pipe after a backslash, or in code, is text."""
    row = _hide_code(line.strip()).removeprefix("|")
    if row.endswith("|") and not row.endswith("\\|"):
        row = row[:-1]
    return [cell.strip().replace("\\|", "|").replace("\x00", "|") for cell in _CELL_END.split(row)]


def _hide_code(row: str) -> str:
    parts = row.split("`")
    if len(parts) % 2:  # every code span has an end
        parts[1::2] = [part.replace("|", "\x00") for part in parts[1::2]]
    return "`".join(parts)


def render_rows(header: Sequence[str], rows: Sequence[Sequence[str]], render: Callable[[str], str]) -> str:
    """Return a paragraph of `header: value` lines for each row. The cells are Markdown."""
    names = [render(cell) for cell in header]
    if not rows:
        return " | ".join(names)
    if not any(names):
        return "\n".join(": ".join(filter(None, map(render, row))) for row in rows)
    return "\n\n".join(filter(None, (_row(names, [render(cell) for cell in row]) for row in rows)))


def _row(names: Sequence[str], row: Sequence[str]) -> str:
    cells = zip_longest(names, row, fillvalue="")
    return "\n".join(f"{name}: {value}" if name else value for name, value in cells if value)
