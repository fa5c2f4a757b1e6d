"""Lines of Markdown: the marks before their text, the numbers of list items, and stars and sums that are no marks."""

import re
from collections.abc import Sequence

_PREFIX = re.compile(r"(?P<quote>(?:[ ]{0,3}>[ ]?)*)(?P<indent>[ \t]*)(?P<rest>.*)", re.DOTALL)
MARKER = re.compile(r"(?P<marker>[-*+]|(?P<number>\d{1,9})(?P<end>[.)]))(?P<space>[ \t]+)(?=\S)")
_ADDEND = re.compile(r"[-+−–×*÷/=][ \t]*\d")
_AMOUNT = re.compile(r"(?:[^\w\s][ \t]*)*(?:Rs\.?[ \t]*)?\d")
_NOTE_MARK = re.compile(r"(?<=\w)\*(?=[\s,.;)]|$)")


def split_prefix(line: str) -> tuple[str, str, str]:
    """Split a line into the marks of quotes, its indentation, and the rest."""
    match = _PREFIX.fullmatch(line)
    assert match  # noqa: S101 - the pattern matches every line
    return match["quote"], match["indent"], match["rest"]


def is_sum(above: str, below: str) -> bool:
    """Return whether a line of `=` between two lines seems to separate a sum from its result, as `5 kg` and `8 kg`."""
    if _ADDEND.match(above):
        return True
    is_amount = bool(_AMOUNT.match(below)) and not MARKER.match(below)
    return is_amount and (any(map(str.isdigit, above)) or not any(map(str.isalpha, below)))


def begins_item(match: re.Match[str], rest: str) -> bool:
    """Return whether a marker begins an item. `+ 3` and `* 5` are calculations."""
    text = rest[match.end() :]
    if match["marker"] == "+":
        return text[0].isalpha() or text[0] in "*_`[\"'"
    return match["marker"] != "*" or any(map(str.isalpha, text))


def has_note(lines: Sequence[str]) -> bool:
    """Return whether the only line that begins with a star explains a star in another line, as in `₹500*`."""
    items = [at for at, line in enumerate(lines) if line.lstrip().startswith("* ")]
    return len(items) == 1 and any(line.count("*") % 2 and _NOTE_MARK.search(line) for line in lines[: items[0]])


def renumber(lines: Sequence[str]) -> dict[int, str]:
    """Return the numbers of items that all have the number 1, which means 1, 2, 3 in Markdown, by line."""
    numbers: dict[int, str] = {}
    lists: dict[int, list[int]] = {}

    def end_lists(indent: int) -> None:
        for key in [key for key in lists if key >= indent]:
            items = lists.pop(key)
            if len(items) > 1:
                numbers.update({line: str(number) for number, line in enumerate(items, 1)})

    was_blank = False
    for at, line in enumerate(lines):
        _, indent, rest = split_prefix(line)
        width = len(indent.expandtabs(4))
        if rest.startswith(("1. ", "1) ")):
            end_lists(width + 1)
            lists.setdefault(width, []).append(at)
        elif rest and (was_blank or rest.startswith("#") or MARKER.match(rest)):
            end_lists(width)
            if rest[0].isdigit() and MARKER.match(rest):
                lists.pop(width, None)
        was_blank = not rest
    end_lists(0)
    return numbers
