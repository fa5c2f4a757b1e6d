"""Read Markdown line by line: headings, lists, quotes, tables, code blocks, rules.

Unlike CommonMark, a line that is no Markdown keeps its indentation, its number and the blank lines around it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from glific_gpt.glific.markdown.lines import MARKER, begins_item, has_note, is_sum, renumber, split_prefix
from glific_gpt.glific.markdown.tables import is_table, split_row

_CHECKBOX = re.compile(r"\[([ xX])\](?=[ \t]+\S)")
_BOXES = {" ": "☐", "x": "☑", "X": "☑"}
_FENCE = re.compile(r"(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)")
_HEADING = re.compile(r"#{1,6}[ \t]+(?P<text>\S.*)", re.DOTALL)
_HEADING_END = re.compile(r"(?:^|[ \t])#+[ \t]*$")
_UNDERLINE = re.compile(r"={3,}[ \t]*")
_MAX_UNDERLINED_CHARACTERS = 100
_RULE = re.compile(r"(?:-[ \t]*){3,}|(?:\*[ \t]*){3}|_{3}[ \t]*")
_RULE_TEXT = "───"


@dataclass
class Line:
    """A line of text: what stands before it, and its Markdown."""

    prefix: str
    text: str


@dataclass
class TextBlock:
    """Lines with marks that belong together."""

    lines: list[Line]
    is_heading: bool = False


@dataclass
class TableBlock:
    """A table, with what stands before each of its lines."""

    prefix: str
    header: list[str]
    rows: list[list[str]] = field(default_factory=list)
    ends_at_text: bool = False
    """True if text follows without a blank line."""


@dataclass
class VerbatimBlock:
    """Lines that are written as they are: code, rules, blank lines."""

    lines: list[str]


Block = TextBlock | TableBlock | VerbatimBlock


@dataclass
class _Item:
    """An open item of a list."""

    indent: int
    """Columns before its marker in the source."""
    written_text_indent: int
    """Columns before its text in the message."""

    @property
    def text_indent(self) -> int:
        return self.indent + 1


def read_blocks(source: str) -> Iterator[Block]:
    """Yield the blocks of a text, in order. Together they hold every line."""
    yield from _Reader(source.split("\n")).read()


class _Reader:
    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._at = 0
        self._items: list[_Item] = []
        self._text: TextBlock | None = None
        self._quote = ""
        self._numbers = renumber(lines)
        self._has_note = has_note(lines)

    def read(self) -> Iterator[Block]:
        while self._at < len(self._lines):
            quote, indent, rest = split_prefix(self._lines[self._at])
            if block := self._special_block(quote, indent, rest):
                yield from self._finished_text()
                yield block
            else:
                yield from self._add_text(quote, indent, rest)
                self._at += 1
        yield from self._finished_text()

    def _finished_text(self) -> Iterator[Block]:
        if self._text:
            yield self._text
        self._text = None

    def _special_block(self, quote: str, indent: str, rest: str) -> Block | None:
        """Read a block that is not text, if one begins at this line."""
        if not rest:
            self._at += 1
            return VerbatimBlock([self._lines[self._at - 1]])
        if "``" in rest or "~~" in rest:
            marker = MARKER.match(rest)
            start = marker.end() if marker else 0
            if block := self._fence(quote + indent + rest[:start], quote + indent + " " * start, rest[start:]):
                return block
        if _RULE.fullmatch(rest):
            self._at += 1
            self._items.clear()
            return VerbatimBlock([f"{quote}{indent}{_RULE_TEXT}"])
        if "|" in rest and is_table(rest, self._rest_of(self._at + 1)):
            return self._table(quote + indent)
        return None

    def _add_text(self, quote: str, indent: str, rest: str) -> Iterator[Block]:
        """Add a line to the current text, or begin a new one."""
        prefix, text, is_item = self._list_prefix(indent, rest)
        if self._is_underlined(quote, rest):
            yield from self._finished_text()
            yield TextBlock([Line(quote + prefix, text.strip())], is_heading=True)
            self._at += 1
            return
        if heading := _HEADING.fullmatch(text):
            yield from self._finished_text()
            content = _HEADING_END.sub("", heading["text"]).strip() or heading["text"]
            yield TextBlock([Line(quote + prefix, content)], is_heading=True)
            return
        if is_item or quote.strip() != self._quote.strip():
            yield from self._finished_text()
        self._quote = quote
        if not self._text:
            self._text = TextBlock([])
        self._text.lines.append(Line(quote + prefix, text))

    def _is_underlined(self, quote: str, rest: str) -> bool:
        """Return whether the line is a heading with a line of `=` below, and not the last line of a sum."""
        if self._at + 1 >= len(self._lines) or (self._text and quote.strip() == self._quote.strip()):
            return False
        below, indent, underline = split_prefix(self._lines[self._at + 1])
        return (
            below.strip() == quote.strip()
            and len(indent) <= 3
            and bool(_UNDERLINE.fullmatch(underline))
            and len(rest) <= _MAX_UNDERLINED_CHARACTERS
            and not MARKER.match(rest)
            and any(map(str.isalpha, rest))
            and not is_sum(rest, self._rest_of(self._at + 2))
        )

    def _list_prefix(self, indent: str, rest: str) -> tuple[str, str, bool]:
        """Return what is written before the text of a line, its text, and whether it begins an item of a list."""
        width = len(indent.expandtabs(4))
        match = MARKER.match(rest)
        is_note = self._has_note and rest.startswith("*")
        if not match or not begins_item(match, rest) or is_note:
            if self._items and width < self._items[0].text_indent and not self._text:
                self._items.clear()
            return indent, rest, False
        while self._items and width < self._items[-1].indent + 2:
            self._items.pop()
        if self._items:
            written = " " * self._items[-1].written_text_indent
        else:
            is_list = not match["number"] and any(map(str.isalpha, rest))
            written = "" if is_list else indent
        marker = self._written_marker(match)
        text = rest[match.end() :]
        if box := _CHECKBOX.match(text):
            text = _BOXES[box[1]] + text[box.end() :]
        self._items.append(_Item(width, len(written) + len(marker)))
        return written + marker, text, True

    def _written_marker(self, match: re.Match[str]) -> str:
        if not match["number"]:
            return "- "
        number = self._numbers.get(self._at, match["number"])
        return f"{number}{match['end']}{match['space']}"

    def _rest_of(self, at: int) -> str:
        return split_prefix(self._lines[at])[2] if at < len(self._lines) else ""

    def _fence(self, first_prefix: str, prefix: str, rest: str) -> Block | None:
        opening = _FENCE.fullmatch(rest)
        if not opening:
            return None
        mark = opening["mark"]
        for at in range(self._at + 1, len(self._lines)):
            closing = self._rest_of(at).rstrip()
            if len(closing) >= len(mark) and closing == mark[0] * len(closing):
                end = at
                break
        else:
            end = len(self._lines)
        content = self._lines[self._at + 1 : end]
        is_empty = not any(line.strip() for line in content)
        if end == len(self._lines) and (mark[0] == "~" or is_empty):
            return None
        self._at = end + 1
        return VerbatimBlock([] if is_empty else [f"{first_prefix}```", *content, f"{prefix}```"])

    def _table(self, prefix: str) -> TableBlock:
        table = TableBlock(prefix, split_row(self._rest_of(self._at)))
        self._at += 2
        while self._at < len(self._lines):
            rest = self._rest_of(self._at)
            if not rest or ("|" not in rest and len(table.header) > 1):
                table.ends_at_text = bool(rest)
                break
            table.rows.append(split_row(rest))
            self._at += 1
        return table
