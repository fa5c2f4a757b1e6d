"""A conversation as lines for a terminal, 80 columns wide."""

import unicodedata
from collections.abc import Iterable
from textwrap import wrap

from glific_gpt.simulator.diary import Line

COLUMNS = 80
_HEADS = {"person": "Person: ", "flow": "Flow:   ", "note": ""}


def drawn(lines: Iterable[Line]) -> str:
    """One paragraph for each line; notes in brackets. Nothing in it can steer a terminal."""
    return "\n".join(_paragraph(line) for line in lines)


def _paragraph(line: Line) -> str:
    head = _HEADS[line.who]
    body = f"[{line.text}]" if line.who == "note" else line.text
    width = COLUMNS - len(head)
    rows = [row for part in _harmless(body).split("\n") for row in wrap(part, width) or [""]]
    return "\n".join(((head if at == 0 else " " * len(head)) + row).rstrip() for at, row in enumerate(rows))


def _harmless(text: str) -> str:
    return "".join(
        each for each in text.replace("\t", " ") if each == "\n" or unicodedata.category(each) not in ("Cc", "Cs")
    )
