"""JSON as Elixir reads it: no NaN, no number beyond a float; and nothing so deep that it could be no flow."""

import json
import math
from typing import Any, NoReturn

DEEPEST = 100
"""Levels of objects and lists. A flow has about ten, and every reader here may recurse."""


class NotStrict(ValueError):
    """The text is not JSON."""


def decoded(text: str) -> Any:
    """What the text holds, the keys of its objects in their order. Raises NotStrict."""
    try:
        value = json.loads(text, parse_float=_finite, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise NotStrict from None
    return value if _depth(value) <= DEEPEST else _refuse("")


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [thing for thing in level if isinstance(thing, dict | list)]:
        depth += 1
        level = [child for thing in level for child in (thing.values() if isinstance(thing, dict) else thing)]
    return depth


def _finite(number: str) -> float:
    return float(number) if math.isfinite(float(number)) else _refuse(number)


def _refuse(_number: str) -> NoReturn:
    raise NotStrict
