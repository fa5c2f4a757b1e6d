"""How high the editor draws nodes and notes, in pixels, near enough to leave room for them."""

from textwrap import wrap

from glific_gpt.flows.making.actions import Action
from glific_gpt.flows.making.notes import Sticky
from glific_gpt.flows.making.steps import Step

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
