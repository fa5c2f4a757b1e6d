"""How high the editor draws nodes and notes, in pixels, near enough to leave room for them."""

from collections.abc import Mapping
from textwrap import wrap
from typing import TypeAlias

from glific_gpt.flows.building.messages import Sticky
from glific_gpt.flows.building.spec import Mode
from glific_gpt.flows.building.steps import Action, Step

# Measured in @glific/flow-editor 1.19.3.
LINE, STICKY_LINE = 18, 14
LETTERS = 26
SHOWN_OF_A_URL = 150


def height(thing: Step | Sticky) -> int:
    """Of a node or a note."""
    if isinstance(thing, Sticky):
        return 80 + STICKY_LINE * (_lines(thing.body) + _lines(thing.title) - 1)
    frame = 38 if thing.operand else 10
    kept = 36 if thing.keeps_as else 0
    return frame + kept + max(36, sum(_height(action) for action in thing.actions))


def _height(action: Action) -> int:
    match action["type"]:
        case "send_msg":
            lines = _lines(action["text"])
        case "call_webhook":
            lines = 3 + _lines(action["url"][:SHOWN_OF_A_URL])
        case _:
            lines = 2
    return 56 + LINE * lines


def _lines(text: str) -> int:
    return sum(max(1, len(wrap(line, LETTERS))) for line in text.split("\n"))


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
