"""Any JSON, read without surprises: what is not of the kind that is asked for is as good as not there."""

from collections.abc import Iterable, Iterator
from typing import Any

Thing = dict[str, Any]


def things(value: Any) -> list[Thing]:
    """The objects of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def thing(value: Any) -> Thing:
    return value if isinstance(value, dict) else {}


def texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def has_only(value: Any, kind: type) -> bool:
    """Whether it is a list, and everything in it of that kind."""
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)


def lacking(what: str, value: Thing, *keys: str) -> Iterator[str]:
    """Glific asks for the keys only: what they hold may be null."""
    missing = [key for key in keys if key not in value]
    if missing:
        yield f"{what} lacks {' and '.join(missing)}."


def repeated(values: Iterable[str]) -> list[str]:
    """Those that are there more than once, in their order."""
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return [value for value, count in counts.items() if count > 1]
