"""Where the editor draws nodes and notes: maps to look at, and the pixels that they mean."""

from collections.abc import Mapping
from typing import TypeAlias

from glific_gpt.flows.making.notes import Sticky
from glific_gpt.flows.making.sizes import height
from glific_gpt.flows.making.steps import Step
from glific_gpt.flows.making.wish import Mode

Position: TypeAlias = dict[str, int]

# The way of most questions goes straight down the middle.
# Lines run behind boxes, so nothing may lie between the two ends of one.
QUICK = """
    about    welcome    change
    .        question   .
    goodbye  count      not_text
    secret   webhook    .
    .        status     ↓apology
    .        answer     stays
"""
LATER = """
    about    welcome    change
    .        question   .
    goodbye  count      not_text
    secret   webhook    .
    .        status     ↓apology
    moment   .          later
    wait     .          .
    outcome  .          stays

    .        answer     .
"""

LEFT, TOP = 60, 60
COLUMN = 320
ROOM = 100
"""Between a box and what comes below, for the lines. The editor itself pushes apart what is much nearer.
A blank row is half as much more."""
LOWER = "↓"
"""Before a name: a little lower than the row, so that lines beside it keep apart."""
GRID = 20


def layout(things: Mapping[str, Step | Sticky], mode: Mode) -> dict[str, Position]:
    """Where everything on the map is drawn: left and top in pixels."""
    places: dict[str, Position] = {}
    free: dict[int, int] = {}  # how far down each column is free
    top = TOP
    for row in _rows(QUICK if mode is Mode.SYNC else LATER):
        top = max([top, *(free.get(column, 0) for column in row)])
        for column, mark in row.items():
            name, own_top = mark.removeprefix(LOWER), top + GRID * mark.count(LOWER)
            places[name] = {"left": LEFT + column * COLUMN, "top": own_top}
            free[column] = _on_the_grid(own_top + height(things[name]) + ROOM)
        top = min((free[column] for column in row), default=top + ROOM // 2)
    return places


def _rows(drawn: str) -> list[dict[int, str]]:
    lines = (line.split() for line in drawn.strip("\n").splitlines())
    return [{column: name for column, name in enumerate(line) if name != "."} for line in lines]


def _on_the_grid(pixels: int) -> int:
    return -(-pixels // GRID) * GRID
