"""Where two JSON values differ."""

from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias, Union


class Replaced(NamedTuple):
    """Another value stands here."""

    value: Any


Changes: TypeAlias = Union[Replaced, dict[Any, "Changes"], None]  # noqa: UP007 - it names itself
"""Of a value: itself, what is below its keys or its places in a list, or nothing."""


def differences(before: Any, after: Any) -> Changes:
    """As JSON would be written: 1 is not 1.0, and the order of keys counts. What both share is not looked into."""
    if before is after:
        return None
    if isinstance(before, dict) and isinstance(after, dict) and list(before) == list(after):
        return _below((key, differences(value, after[key])) for key, value in before.items())
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return _below(enumerate(map(differences, before, after)))
    return None if _are_the_same(before, after) else Replaced(after)


def _below(changes: Iterable[tuple[Any, Changes]]) -> Changes:
    return {key: change for key, change in changes if change is not None} or None


def _are_the_same(before: Any, after: Any) -> bool:
    """Of two that are no lists and no objects, or not alike. A float is what it is written as."""
    if isinstance(before, dict | list) or type(before) is not type(after):
        return False
    return repr(before) == repr(after) if isinstance(before, float) else bool(before == after)
