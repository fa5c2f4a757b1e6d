"""JSON as Elixir reads it: no NaN, no number beyond a float; and nothing so deep that it could be no flow."""

import json
import math
import re
from typing import Any, NoReturn

DEEPEST = 100
"""Levels of objects and lists. A flow has about ten, and every reader here may recurse."""
_MAY_BE_TOO_LARGE = re.compile(r"\d[eE]\+?\d{3}|\d{308}")


class NotStrict(ValueError):
    """The text is not JSON."""


class TooDeep(NotStrict):
    """It has more levels than any flow."""


class TooLarge(NotStrict):
    """A number in it is larger than anybody reads."""


def decoded(text: str) -> Any:
    """What the text holds, the keys of its objects in their order. Raises NotStrict."""
    # A function for each number takes its time, and hardly a file has one that needs it.
    check = _finite if _MAY_BE_TOO_LARGE.search(text) else None
    try:
        value = json.loads(text, parse_float=check, parse_constant=_refuse)
    except RecursionError:
        raise TooDeep from None
    except (json.JSONDecodeError, NotStrict) as error:
        raise (error if isinstance(error, NotStrict) else NotStrict()) from None
    except ValueError:  # of an integer of thousands of digits
        raise TooLarge from None
    _check_depth(value)
    return value


def _check_depth(value: Any) -> None:
    depth, level = 0, [value]
    while level := [thing for thing in level if isinstance(thing, dict | list)]:
        depth += 1
        if depth > DEEPEST:
            raise TooDeep
        level = [child for thing in level for child in (thing.values() if isinstance(thing, dict) else thing)]


def _finite(number: str) -> float:
    if not math.isfinite(found := float(number)):
        raise TooLarge
    return found


def _refuse(_number: str) -> NoReturn:
    raise NotStrict
