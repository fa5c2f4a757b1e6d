"""JSON that everyone downstream can take: numbers that exist, whole characters, not too deep."""

import json
import re
from collections.abc import Iterable
from math import isfinite
from typing import Any, NoReturn

MAX_DEPTH = 200
"""Levels of lists and objects; where Python itself gives up differs from version to version."""


def decode_json(text: str) -> Any:
    """The decoded value. Raises ValueError."""
    try:
        value = _DECODER.decode(text)
        # Half a surrogate pair is legal JSON, but neither OpenAI, Glific nor a database takes it.
        (json.dumps(value, ensure_ascii=False) if _ESCAPE in text else text).encode()
    except RecursionError:
        raise ValueError("too deep") from None
    if _is_too_deep(value):
        raise ValueError("too deep")
    return value


def _is_too_deep(value: Any) -> bool:
    level, depth = [value], 0
    while level and depth < MAX_DEPTH:
        level = [child for parent in level for child in _children(parent)]
        depth += 1
    return bool(level)


def _children(parent: Any) -> Iterable[Any]:
    if isinstance(parent, dict):
        return parent.values()
    return parent if isinstance(parent, list) else ()


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _finite(number: str) -> float:
    """1e999 is legal JSON, but as little a number as Infinity is."""
    value = float(number)
    return value if isfinite(value) else _no_constant(number)


_ESCAPE = "\\u"
"""What JSON writes a character with that it does not write as it is."""

_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)


NUMBER = re.compile(r"[+-]?\d{1,9}(\.\d{1,9})?", re.ASCII)
MAX_ID = 2**63


def parse_number(value: Any) -> Any:
    """A number, also when it was sent as text; anything else is left for the field's type to refuse."""
    if isinstance(value, bool):
        raise ValueError("this is not a number")  # noqa: TRY004 - what pydantic understands
    if isinstance(value, str):
        if not NUMBER.fullmatch(value.strip()):
            raise ValueError("this is not a number")
        return float(value)
    return value


def parse_id(value: Any) -> int | None:
    """One of Glific's ids, a number or text; None for anything else, since an answer does not depend on it."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,19}", value.strip(), re.ASCII):
        value = int(value)
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 < value < MAX_ID
    return value if usable else None


def blank_to_none(value: Any) -> Any:
    """A field that was left empty in Glific's form is a field that was not given."""
    return None if isinstance(value, str) and not value.strip() else value
