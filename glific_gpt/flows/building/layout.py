"""Positions of nodes and sticky notes in Glific's editor, from their estimated heights in pixels."""

from collections.abc import Container, Mapping
from textwrap import wrap
from typing import TypeAlias

from glific_gpt.flows.building.messages import StickyNote
from glific_gpt.flows.building.spec import Mode
from glific_gpt.flows.building.steps import Action, Step

# Measured in @glific/flow-editor 1.19.3, and still right in 1.43.0-10.
LINE_HEIGHT, STICKY_LINE_HEIGHT = 18, 14
CHARACTERS_PER_LINE = 26
MAX_SHOWN_URL_CHARACTERS = 150


def estimate_height(item: Step | StickyNote) -> int:
    """Return the approximate height in pixels at which the editor draws a node or a note."""
    if isinstance(item, StickyNote):
        return 80 + STICKY_LINE_HEIGHT * (_count_lines(item.body) + _count_lines(item.title) - 1)
    frame = 38 if item.operand else 10
    result_line = 36 if item.result_name else 0
    return frame + result_line + max(36, sum(_action_height(action) for action in item.actions))


def _action_height(action: Action) -> int:
    match action["type"]:
        case "send_msg":
            lines = _count_lines(action["text"])
        case "call_webhook":
            lines = 3 + _count_lines(action["url"][:MAX_SHOWN_URL_CHARACTERS])
        case _:
            lines = 2
    return 56 + LINE_HEIGHT * lines


def _count_lines(text: str) -> int:
    return sum(max(1, len(wrap(line, CHARACTERS_PER_LINE))) for line in text.split("\n"))


Position: TypeAlias = dict[str, int]

# The path of a usual question goes straight down the middle column.
# The editor draws connections behind boxes, so no box may lie between the two ends of one.
SYNC_GRID = """
    about    welcome    change     memory
    .        question   .          documents
    goodbye  count      not_text
    auth     webhook    .
    .        status     ↓apology
    .        answer     keep
"""
DEFERRED_GRID = """
    about        welcome    change     memory
    .            question   .          documents
    goodbye      count      not_text
    auth         webhook    .
    .            status     ↓apology
    wait_notice  .          deferred
    wait         .          .
    outcome      .          keep

    .            answer     .
"""

LEFT, TOP = 60, 60
COLUMN_WIDTH = 320
ROW_GAP = 100
"""Space below a box for the connections. The editor itself pushes boxes apart that are much closer.
A blank row of the grid adds half as much."""
LOWER = "↓"
"""Mark before a name: draw it one grid unit lower than its row, so that parallel connections do not overlap."""
GRID = 20


def compute_positions(items: Mapping[str, Step | StickyNote], mode: Mode) -> dict[str, Position]:
    """Return the position of each step and note by name: left and top in pixels."""
    positions: dict[str, Position] = {}
    column_bottoms: dict[int, int] = {}
    top = TOP
    for row in _parse_grid(SYNC_GRID if mode is Mode.SYNC else DEFERRED_GRID, items):
        top = max([top, *(column_bottoms.get(column, 0) for column in row)])
        for column, cell in row.items():
            name, cell_top = cell.removeprefix(LOWER), top + GRID * cell.count(LOWER)
            positions[name] = {"left": LEFT + column * COLUMN_WIDTH, "top": cell_top}
            column_bottoms[column] = _round_up_to_grid(cell_top + estimate_height(items[name]) + ROW_GAP)
        top = min((column_bottoms[column] for column in row), default=top + ROW_GAP // 2)
    return positions


def _parse_grid(grid: str, items: Container[str]) -> list[dict[int, str]]:
    """Return the cells of each row by column. A dot, and a name that is not among the items, is an empty cell."""
    lines = (line.split() for line in grid.strip("\n").splitlines())
    return [{column: cell for column, cell in enumerate(line) if cell.removeprefix(LOWER) in items} for line in lines]


def _round_up_to_grid(pixels: int) -> int:
    return -(-pixels // GRID) * GRID
