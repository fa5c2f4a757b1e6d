"""Where two JSON values differ."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
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


_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = r'"(?:[^"\\]++|\\.)*+"'
_FLAT = rf"""[\[{{](?:[^"\[\]{{}}]++|{_STRING})*+[\]}}]"""
# Possessive all the way: nothing is kept to go back to, whatever the length of the text.
_WITHIN = re.compile(rf"""(?:[^"\[\]{{}}]++|{_STRING}|{_FLAT})*+""", re.DOTALL)
_PLAIN = re.compile(rf"{_STRING}|[^\s,\]}}]++", re.DOTALL)
_HALF_A_LETTER = re.compile("[\ud800-\udfff]")


def spliced(text: str, wanted: Any, given: Any) -> str:
    """The text, which is JSON and holds what is given, changed only where that is something else than what is wanted.

    Quick where the two share what they have in common.
    """
    changes, style, done, pieces = differences(given, wanted), _style(text), 0, []
    _, parts = _Scan(text).value(_Scan(text).after_space(0), changes, 0)
    for part in sorted(parts):
        pieces += [text[done : part.start], style.written(part.value, part.depth)]
        done = part.end
    return "".join([*pieces, text[done:]])


def dumped(value: Any, indent: str | None = "  ") -> str:
    """As JSON, with the letters of every script as they are."""
    separators = (",", ": ") if indent else (",", ":")
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=False, allow_nan=False)
    # Halves of letters, which JSON can escape and no file can hold.
    return _HALF_A_LETTER.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


class _Style(NamedTuple):
    """How a text is laid out."""

    newline: str
    indent: str | None
    """Of one level; None where all stands in one line."""

    def written(self, value: Any, depth: int) -> str:
        lines = dumped(value, self.indent).split("\n")
        return (self.newline + (self.indent or "") * depth).join(lines)


def _style(text: str) -> _Style:
    found = re.match(r"\s*[{\[](\r?\n)([ \t]+)", text)
    return _Style(found[1], found[2]) if found else _Style("\n", None)


class _Part(NamedTuple):
    """What to replace in a text: from `start` to before `end`, by which value, how deep."""

    start: int
    end: int
    depth: int
    value: Any


@dataclass(frozen=True)
class _Scan:
    """Finds the changed values of a text. Each method gives the place behind what it has read."""

    text: str

    def value(self, at: int, changes: Changes, depth: int) -> tuple[int, list[_Part]]:
        if isinstance(changes, Replaced):
            end = self._after(at)
            return end, [_Part(at, end, depth, changes.value)]
        inside = _INSIDE.get(self.text[at]) if changes else None
        return inside(self, at, changes, depth) if inside else (self._after(at), [])

    def object(self, at: int, changes: dict[Any, Changes], depth: int) -> tuple[int, list[_Part]]:
        found: dict[str, list[_Part]] = {}
        at = self.after_space(at + 1)
        while self.text[at] == '"':
            key, colon = _DECODER.raw_decode(self.text, at)
            at = self.after_space(self.after_space(colon) + 1)
            at, parts = self.value(at, changes.get(key), depth + 1)
            if key in changes:  # of a key that is there twice, the second counts
                found[key] = parts
            at = self._after_comma(at)
        return at + 1, [part for parts in found.values() for part in parts]

    def list(self, at: int, changes: dict[Any, Changes], depth: int) -> tuple[int, list[_Part]]:
        found: list[_Part] = []
        at, index = self.after_space(at + 1), 0
        while self.text[at] != "]":
            at, parts = self.value(at, changes.get(index), depth + 1)
            found += parts
            at, index = self._after_comma(at), index + 1
        return at + 1, found

    def after_space(self, at: int) -> int:
        found = _SPACE.match(self.text, at)
        return found.end() if found else at

    def _after_comma(self, at: int) -> int:
        at = self.after_space(at)
        return self.after_space(at + 1) if self.text[at] == "," else at

    def _after(self, at: int) -> int:
        """A value that nothing is to be found in."""
        if self.text[at] not in "[{":
            return self._match(_PLAIN, at)
        at, depth = at + 1, 1
        while True:
            at = self._match(_WITHIN, at)
            depth += 1 if self.text[at] in "[{" else -1
            at += 1
            if not depth:
                return at

    def _match(self, pattern: re.Pattern[str], at: int) -> int:
        found = pattern.match(self.text, at)
        return found.end() if found else at


_INSIDE: dict[str, Callable[[_Scan, int, Any, int], tuple[int, list[_Part]]]] = {"{": _Scan.object, "[": _Scan.list}
