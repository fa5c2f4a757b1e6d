"""A JSON text with some of its values replaced, and every other character as it was."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_HALF_A_LETTER = re.compile("[\ud800-\udfff]")


def spliced(text: str, wanted: Any) -> str:
    """The text, changed only where it says something else than what is wanted. It must be JSON."""
    indent, done, pieces = _indent(text), 0, []
    for part, value, depth in _changes(_part(text, 0), wanted, 0):
        lines = dumped(value, indent).split("\n")
        pieces += [text[done : part.start], ("\n" + (indent or "") * depth).join(lines)]
        done = part.end
    return "".join([*pieces, text[done:]])


def dumped(value: Any, indent: str | None = "  ") -> str:
    """As JSON, with the letters of every script as they are."""
    separators = (",", ": ") if indent else (",", ":")
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=False, allow_nan=False)
    # Halves of letters, which JSON can escape and no file can hold.
    return _HALF_A_LETTER.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def _indent(text: str) -> str | None:
    """What one level of the text is indented by; None where it stands in one line."""
    found = re.match(r"\s*[{\[]\r?\n([ \t]+)", text)
    return found[1] if found else None


@dataclass(frozen=True)
class _Part:
    """A value in a text, from `start` to before `end`."""

    value: Any
    start: int
    end: int
    parts: dict[str, "_Part"] | list["_Part"] | None = None


_Change: TypeAlias = tuple[_Part, Any, int]
"""What to replace, by which value, how deep in the text."""


def _changes(part: _Part, wanted: Any, depth: int) -> Iterator[_Change]:
    if json.dumps(part.value) == json.dumps(wanted):
        return
    if isinstance(part.parts, dict) and isinstance(wanted, dict) and list(part.parts) == list(wanted):
        for key, child in part.parts.items():
            yield from _changes(child, wanted[key], depth + 1)
    elif isinstance(part.parts, list) and isinstance(wanted, list) and len(part.parts) == len(wanted):
        for child, value in zip(part.parts, wanted, strict=True):
            yield from _changes(child, value, depth + 1)
    else:
        yield part, wanted, depth


def _part(text: str, at: int) -> _Part:
    start = _after_space(text, at)
    value, end = _DECODER.raw_decode(text, start)
    if isinstance(value, dict):
        return _Part(value, start, end, dict(_members(text, start)))
    return _Part(value, start, end, list(_items(text, start)) if isinstance(value, list) else None)


def _members(text: str, start: int) -> Iterator[tuple[str, _Part]]:
    at = _after_space(text, start + 1)
    while text[at] == '"':
        key, colon = _DECODER.raw_decode(text, at)
        yield key, (part := _part(text, _after_space(text, colon) + 1))
        at = _after_comma(text, part.end)


def _items(text: str, start: int) -> Iterator[_Part]:
    at = _after_space(text, start + 1)
    while text[at] != "]":
        yield (part := _part(text, at))
        at = _after_comma(text, part.end)


def _after_comma(text: str, at: int) -> int:
    at = _after_space(text, at)
    return _after_space(text, at + 1) if text[at] == "," else at


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
