"""Change values inside JSON text and keep every other character, so that a diff shows the changes only."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, Union


class Replacement(NamedTuple):
    """A value that replaces another one."""

    value: Any


Changes: TypeAlias = Union[Replacement, dict[Any, "Changes"], None]  # noqa: UP007 - the alias is recursive
"""The changes of a value: a replacement of the whole value, changes below its keys or list indexes, or None."""


def find_changes(before: Any, after: Any) -> Changes:
    """Compare two JSON values as they are written: 1 differs from 1.0, and the order of keys counts.

    Values that are the same Python object are not compared further, so shared parts cost nothing.
    """
    if before is after:
        return None
    if isinstance(before, dict) and isinstance(after, dict) and list(before) == list(after):
        return _without_none((key, find_changes(value, after[key])) for key, value in before.items())
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return _without_none(enumerate(map(find_changes, before, after)))
    return None if _is_same_scalar(before, after) else Replacement(after)


def _without_none(changes: Iterable[tuple[Any, Changes]]) -> Changes:
    return {key: change for key, change in changes if change is not None} or None


def _is_same_scalar(before: Any, after: Any) -> bool:
    """Compare two values that are not both objects or both lists of the same shape."""
    if isinstance(before, dict | list) or type(before) is not type(after):
        return False
    # repr, because 0.0 == -0.0 although they are written differently.
    return repr(before) == repr(after) if isinstance(before, float) else bool(before == after)


_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = r'"(?:[^"\\]++|\\.)*+"'
_FLAT = rf"""[\[{{](?:[^"\[\]{{}}]++|{_STRING})*+[\]}}]"""
# All quantifiers are possessive: the engine keeps no state for backtracking, so memory does not grow with the text.
_WITHIN = re.compile(rf"""(?:[^"\[\]{{}}]++|{_STRING}|{_FLAT})*+""", re.DOTALL)
_SCALAR = re.compile(rf"{_STRING}|[^\s,\]}}]++", re.DOTALL)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def patch_json(text: str, before: Any, after: Any) -> str:
    """Return the JSON text, which parses to `before`, changed so that it parses to `after`.

    Fast if the two values share their unchanged parts.
    """
    changes, style, done, pieces = find_changes(before, after), _detect_style(text), 0, []
    scanner = _Scanner(text)
    _, edits = scanner.scan_value(scanner.skip_space(0), changes, 0)
    for edit in sorted(edits):
        pieces += [text[done : edit.start], style.format(edit.value, edit.depth)]
        done = edit.end
    return "".join([*pieces, text[done:]])


def format_json(value: Any, indent: str | None = "  ") -> str:
    """Return the value as JSON with the letters of every script unescaped."""
    separators = (",", ": ") if indent else (",", ":")
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=False, allow_nan=False)
    # JSON can escape a lone surrogate, but UTF-8 cannot encode it.
    return _LONE_SURROGATE.sub(lambda surrogate: f"\\u{ord(surrogate[0]):04x}", text)


class _Style(NamedTuple):
    """The layout of a JSON text."""

    newline: str
    indent: str | None
    """The indentation of one level; None if everything is on one line."""

    def format(self, value: Any, depth: int) -> str:
        lines = format_json(value, self.indent).split("\n")
        return (self.newline + (self.indent or "") * depth).join(lines)


def _detect_style(text: str) -> _Style:
    match = re.match(r"\s*[{\[](\r?\n)([ \t]+)", text)
    return _Style(match[1], match[2]) if match else _Style("\n", None)


class _Edit(NamedTuple):
    """A replacement in the text, from `start` up to but not including `end`."""

    start: int
    end: int
    depth: int
    value: Any


@dataclass(frozen=True)
class _Scanner:
    """Finds the positions of changed values. Each method returns the position after what it has read."""

    text: str

    def scan_value(self, at: int, changes: Changes, depth: int) -> tuple[int, list[_Edit]]:
        if isinstance(changes, Replacement):
            end = self._skip_value(at)
            return end, [_Edit(at, end, depth, changes.value)]
        scan_container = _CONTAINERS.get(self.text[at]) if changes else None
        return scan_container(self, at, changes, depth) if scan_container else (self._skip_value(at), [])

    def scan_object(self, at: int, changes: dict[Any, Changes], depth: int) -> tuple[int, list[_Edit]]:
        edits_by_key: dict[str, list[_Edit]] = {}
        at = self.skip_space(at + 1)
        while self.text[at] == '"':
            key, colon = _DECODER.raw_decode(self.text, at)
            at = self.skip_space(self.skip_space(colon) + 1)
            at, edits = self.scan_value(at, changes.get(key), depth + 1)
            if key in changes:  # the last one of duplicate keys counts, as for json.loads
                edits_by_key[key] = edits
            at = self._skip_comma(at)
        return at + 1, [edit for edits in edits_by_key.values() for edit in edits]

    def scan_list(self, at: int, changes: dict[Any, Changes], depth: int) -> tuple[int, list[_Edit]]:
        all_edits: list[_Edit] = []
        at, index = self.skip_space(at + 1), 0
        while self.text[at] != "]":
            at, edits = self.scan_value(at, changes.get(index), depth + 1)
            all_edits += edits
            at, index = self._skip_comma(at), index + 1
        return at + 1, all_edits

    def skip_space(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        return match.end() if match else at

    def _skip_comma(self, at: int) -> int:
        at = self.skip_space(at)
        return self.skip_space(at + 1) if self.text[at] == "," else at

    def _skip_value(self, at: int) -> int:
        """Skip a value without changes."""
        if self.text[at] not in "[{":
            return self._skip_pattern(_SCALAR, at)
        at, depth = at + 1, 1
        while True:
            at = self._skip_pattern(_WITHIN, at)
            depth += 1 if self.text[at] in "[{" else -1
            at += 1
            if not depth:
                return at

    def _skip_pattern(self, pattern: re.Pattern[str], at: int) -> int:
        match = pattern.match(self.text, at)
        return match.end() if match else at


_CONTAINERS: dict[str, Callable[[_Scanner, int, Any, int], tuple[int, list[_Edit]]]] = {
    "{": _Scanner.scan_object,
    "[": _Scanner.scan_list,
}
