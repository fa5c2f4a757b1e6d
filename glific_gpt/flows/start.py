"""Where a flow starts: with the node that is drawn at the top, and left of others there (glific/glific: Flows.Flow)."""

import math
from typing import Any, TypeGuard

from glific_gpt.flows.reading import Thing, thing

LOWEST = 1_000_000
"""Pixels; Glific looks for the first node above this line of `_ui`."""
NOWHERE = (math.inf, math.inf)


def drawn_first(definition: Thing) -> str:
    """The uuid of what is drawn first, whether or not there is such a node; "" where nothing is drawn at a place."""
    drawn = thing(thing(definition.get("_ui")).get("nodes"))
    first = min(drawn, key=lambda uuid: _place(drawn[uuid]), default="")
    return first if first and _place(drawn[first]) != NOWHERE else ""


def _place(ui: Any) -> tuple[float, float]:
    """From the top, then from the left."""
    position = thing(thing(ui).get("position"))
    top, left = position.get("top"), position.get("left")
    return (top, left) if _is_near(top) and _is_near(left) else NOWHERE


def _is_near(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LOWEST
