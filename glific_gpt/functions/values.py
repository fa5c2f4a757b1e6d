"""Parse values as Glific sends them: strict JSON, numbers as text, ids as text."""

import json
import re
from collections.abc import Iterable
from math import isfinite
from typing import Any, NoReturn

MAX_DEPTH = 200
"""Nesting of lists and objects. Python's own limit differs between versions."""


def decode_json(text: str) -> Any:
    """Decode JSON that OpenAI, Glific and the database accept.

    Raises ValueError for invalid JSON, NaN, infinite numbers, half surrogate pairs, and nesting beyond MAX_DEPTH.
    """
    try:
        value = _DECODER.decode(text)
        # Half a surrogate pair is valid JSON, but OpenAI, Glific and databases refuse it.
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
    """Python reads 1e999, which is valid JSON, as infinity."""
    value = float(number)
    return value if isfinite(value) else _no_constant(number)


_ESCAPE = "\\u"
"""Begins every escaped character: without one, the text itself shows whether it can be encoded."""

_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)


NUMBER = re.compile(r"[+-]?\d{1,9}(\.\d{1,9})?", re.ASCII)
ID = re.compile(r"(\d{1,19})(?:\.0{1,9})?", re.ASCII)
MAX_ID = 2**63
THREAD_ID = re.compile(r"[A-Za-z0-9_-]{1,6000}", re.ASCII)


def parse_number(value: Any) -> Any:
    """Return a number that was sent as a number or as text. Other values are left to the field's type to refuse.

    Raises ValueError, which pydantic turns into an error of the field.
    """
    if isinstance(value, bool):
        raise ValueError("this is not a number")  # noqa: TRY004 - what pydantic understands
    if isinstance(value, str):
        if not NUMBER.fullmatch(value.strip()):
            raise ValueError("this is not a number")
        return float(value)
    return value


def parse_id(value: Any) -> int | None:
    """Return one of Glific's ids, sent as a number or as text, also with decimals of zero; None for anything else.

    An answer does not depend on an id, so a wrong one is not an error.
    """
    if isinstance(value, str) and (found := ID.fullmatch(value.strip())):
        value = int(found[1])
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 < value < MAX_ID
    return value if usable else None


def blank_to_none(value: Any) -> Any:
    """Treat an empty field like a missing one: authors leave fields empty in Glific's form."""
    return None if isinstance(value, str) and not value.strip() else value


def read_thread_id(value: Any) -> str:
    """Return the id of a thread, or an empty text for anything else, which begins a conversation.

    Glific sends the name of a variable that it could not fill, and a person waits for the answer.
    """
    thread_id = value.strip() if isinstance(value, str) else ""
    return thread_id if THREAD_ID.fullmatch(thread_id) else ""
