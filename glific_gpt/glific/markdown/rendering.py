"""Convert Markdown to WhatsApp's formatting, within bounds of work."""

import re
from collections.abc import Iterator, Sequence

from glific_gpt.glific.markdown import html
from glific_gpt.glific.markdown.blocks import TableBlock, TextBlock, VerbatimBlock, read_blocks
from glific_gpt.glific.markdown.formulas import convert_formulas
from glific_gpt.glific.markdown.inline import Paragraph
from glific_gpt.glific.markdown.references import take_references
from glific_gpt.glific.markdown.tables import MAX_CELLS, render_rows

# Above these limits the text stays as it is: parsing it would take more than 20 milliseconds.
_MAX_BRACKETS = 200
"""`[` is the most expensive mark: the parser tries to read a link at each of them, also inside of others."""
_MAX_MARKS = 3000
_MARK_CHARACTERS = "\n!#$%&*+-:<=>@[\\]^_`{|}~"
"""At each of these the parser tries its rules (markdown-it-py, rules_inline/text.py)."""
_MAX_LINES = 800

_WORK_OF_A_TEXT = 50
_WORK_OF_A_BRACKET = 10

# In a text without these, nothing is Markdown.
_MAY_BE_MARKDOWN = re.compile(
    r"[*_~`<\[\\&|$]|^[ \t>]*(?:#|\+ |1[.)] |-[ \t]*-)|^[ \t]+- |(?<=\S) {2,}(?=\n)|^[ \t>]*={3}",
    re.MULTILINE,
)
_CODE = re.compile(
    r"(^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(?:```[^`\n]*|~~~[^\n]*)"
    r"(?:\n(?![ \t>]*(?:```|~~~))[^\n]*)*(?:\n[^\n]*|\Z)"
    r"|(?<!`)(?:`[^`\n]+`|``[^`\n]+``)(?!`))",
    re.MULTILINE,
)
"""Code blocks and code in a line, as one group."""
_FOOTNOTE = re.compile(r"\[\^([\w-]{1,30})\]")


def render(markdown: str) -> str:
    """Return WhatsApp text: `*bold*`, `_italic_`, `~strike~`, code, `- ` and `1. ` lists, `> ` quotes.

    Headings become bold lines, links `text (address)`, tables lines of `header: value`. Text in single stars is italic
    in an answer that also has Markdown's double marks. Without them, single stars are WhatsApp's bold, and stay.
    Everything that is not Markdown is unchanged. The result has no white space at its ends. Source of the marks:
    WhatsApp's help, "How to format your messages".
    """
    source = markdown.translate(html.RESERVED).replace("\r\n", "\n").replace("\r", "\n").strip()
    if not _MAY_BE_MARKDOWN.search(source) or _is_too_much_work(source):
        return source
    parts = html.convert(_CODE.split(source))
    parts[::2] = [_FOOTNOTE.sub(r"[\1]", convert_formulas(part)) for part in parts[::2]]
    text, references = take_references("".join(parts).strip())
    if _is_too_much_work(text):  # tags have become marks
        return source
    rendered = "\n".join(_Document(text, references).lines()).replace(html.BREAK, "\n")
    # A backslash before a tag makes its character text, which is not read as a tag.
    return rendered.translate(html.RESERVED).strip()


def _count_marks(markdown: str) -> int:
    return sum(map(markdown.count, _MARK_CHARACTERS))


def is_long_work(markdown: str) -> bool:
    """Return whether rendering may take more than a few milliseconds."""
    return len(markdown) > 4096 or markdown.count("[") > 30 or _count_marks(markdown) > 300


def estimate_work(markdown: str) -> int:
    """Return the work of rendering, in characters: the parser takes as long for a text with one mark as for 50."""
    is_parsed = _MAY_BE_MARKDOWN.search(markdown)
    return len(markdown) + (_WORK_OF_A_TEXT + _WORK_OF_A_BRACKET * markdown.count("[") if is_parsed else 0)


def _is_too_much_work(source: str) -> bool:
    lines = source.count("\n") + 1
    return (
        source.count("[") > _MAX_BRACKETS
        or _count_marks(source) > _MAX_MARKS
        or lines > _MAX_LINES
        or lines * max(line.count("|") for line in source.split("\n")) > MAX_CELLS
    )


class _Document:
    """Renders blocks. All paragraphs are parsed first, because double marks in one decide how others are read."""

    def __init__(self, source: str, references: dict[str, str]) -> None:
        self._references = references
        self._blocks = list(read_blocks(source))
        self._paragraphs = {text: Paragraph.parse(text, references) for text in self._texts()}
        self._with_single = any(paragraph.has_double_marks() for paragraph in self._paragraphs.values())

    def _texts(self) -> Iterator[str]:
        for block in self._blocks:
            if isinstance(block, TextBlock):
                yield _text_of(block)
            elif isinstance(block, TableBlock):
                for row in (block.header, *block.rows):
                    yield from row

    def lines(self) -> Iterator[str]:
        for block in self._blocks:
            match block:
                case VerbatimBlock():
                    yield from block.lines
                case TableBlock():
                    yield from self._table_lines(block)
                case TextBlock():
                    yield from self._text_lines(block)

    def _text_lines(self, block: TextBlock) -> Iterator[str]:
        paragraph = self._paragraphs[_text_of(block)]
        text = paragraph.render(with_single=self._with_single, mark="*" if block.is_heading else "")
        prefixes = [line.prefix for line in block.lines]
        yield from _prefixed(prefixes, text.split("\n"))

    def _table_lines(self, table: TableBlock) -> Iterator[str]:
        text = render_rows(table.header, table.rows, self._cell)
        for line in text.replace(html.BREAK, "\n").split("\n"):
            yield table.prefix + line if line else table.prefix.rstrip()
        if table.ends_at_text:
            yield ""

    def _cell(self, text: str) -> str:
        return self._paragraphs[text].render(with_single=self._with_single)


def _text_of(block: TextBlock) -> str:
    return "\n".join(line.text for line in block.lines)


def _prefixed(prefixes: Sequence[str], lines: Sequence[str]) -> Iterator[str]:
    """Put back what stood before each line. A line that was joined to another has lost its own."""
    for number, line in enumerate(lines):
        yield prefixes[min(number, len(prefixes) - 1)] + line
