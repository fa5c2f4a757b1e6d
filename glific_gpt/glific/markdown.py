"""Convert the Markdown of language models to WhatsApp's formatting."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

_MARKS = {"strong": "*", "em": "_", "s": "~"}
_RULE = "───"
# CommonMark does not read `**Note: **text` and `**"ORS"**का` as bold, but models write them as bold.
_STRAY_BOLD = re.compile(r"\*\*(?=\S)([^*\n]+)\*\*")
_LINE_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)
# Above these limits the text stays as it is: parsing it would take more than 20 milliseconds.
_MAX_BRACKETS = 300
"""`[` is the most expensive mark: the parser tries to read a link at each of them, also inside of others."""
_MAX_MARKS = 3000
_MARK_CHARACTERS = "\n!#$%&*+-:<=>@[\\]^_`{|}~"
"""At each of these the parser tries its rules (markdown-it-py, rules_inline/text.py)."""
_MAX_LINES = 800
_MAX_CELLS = 4000
"""Cells of a table: the parser fills each row up to the width of the widest."""
# Lines that begin with a letter and contain no mark, with at most one blank line between them: rendering changes
# nothing.
_LINE = r"[^\W\d_][^\r\n\x00*_`~<\[\\&]*"
_PLAIN = re.compile(rf"{_LINE}(?:(?<!\s)\n\n?{_LINE})*")


class _Parser(MarkdownIt):
    """A parser with tables and strikethrough. HTML is text, and URLs are not normalized."""

    def __init__(self) -> None:
        # Deeper blocks are dropped. 30 is far more than real text needs, and few enough for recursion.
        super().__init__("js-default", {"maxNesting": 30})
        # Plain text often looks like these by accident: indented lines, `text` over `---`, `[Note]: text`.
        self.disable(["code", "lheading", "reference"])

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - name of the library
        return url


_PARSER = _Parser()


def render(markdown: str) -> str:
    """Return WhatsApp text: `*bold*`, `_italic_`, `~strike~`, code, `- ` and `1. ` lists, `> ` quotes.

    Marks are read as in CommonMark, so `*x*` is italic and becomes `_x_`. Headings become bold lines, links
    `text (address)`, table cells lines of `header: value`, and `<br>` a line break. Line breaks stay, and at most one
    blank line between blocks. Source of the marks: WhatsApp's help, "How to format your messages".
    """
    source = markdown.replace("\r\n", "\n").replace("\r", "\n")
    if plain := _PLAIN.fullmatch(source.strip()):  # the usual case; parsing would take a twelfth of a call's time
        return plain[0]
    if _is_too_much_work(source):
        return source.strip()
    return _blocks(iter(_PARSER.parse(source)), source.split("\n")).strip()


def _count_marks(markdown: str) -> int:
    return sum(map(markdown.count, _MARK_CHARACTERS))


def is_long_work(markdown: str) -> bool:
    """Return whether rendering may take more than a few milliseconds."""
    return len(markdown) > 4096 or markdown.count("[") > 30 or _count_marks(markdown) > 300


def _is_too_much_work(source: str) -> bool:
    lines = source.count("\n") + 1
    return (
        source.count("[") > _MAX_BRACKETS
        or _count_marks(source) > _MAX_MARKS
        or lines > _MAX_LINES
        or lines * max(line.count("|") for line in source.split("\n")) > _MAX_CELLS
    )


def _blocks(tokens: Iterator[Token], lines: Sequence[str]) -> str:
    """Render the blocks until the end of their parent block."""
    blocks: list[str] = []
    number = 0
    for token in tokens:
        if token.nesting < 0:
            break
        if token.type == "list_item_open" and token.info:
            # Numbers stay as written, except that `1. 1. 1.` means 1, 2, 3 in Markdown.
            number = max(int(token.info), number + 1)
            token.info = str(number)
        if block := _block(token, tokens, lines):
            blocks.append((_gap(token, lines) if blocks else "") + block)
    return "".join(blocks)


def _gap(token: Token, lines: Sequence[str]) -> str:
    """Return the separator from the previous block: a blank line if the source has one."""
    before = lines[token.map[0] - 1] if token.map else ""
    return "\n" if before.strip(" \t>") else "\n\n"


def _block(token: Token, tokens: Iterator[Token], lines: Sequence[str]) -> str:
    """Render one block. Its content is consumed from `tokens`."""
    match token.type:
        case "table_open":
            return _table(tokens)
        case "heading_open":
            return _wrapped(_inline(next(tokens), bold=True) + _blocks(tokens, lines), "*")
        case "blockquote_open":
            return _prefixed(_blocks(tokens, lines), "> ", "> ")
        case "list_item_open":
            marker = f"{token.info}{token.markup} " if token.info else "- "
            return _prefixed(_blocks(tokens, lines), marker, " " * len(marker))
    return _leaf_block(token) if token.nesting == 0 else _blocks(tokens, lines)


def _leaf_block(token: Token) -> str:
    match token.type:
        case "fence":
            return f"```\n{token.content.rstrip()}\n```"
        case "hr":
            return _RULE
    return _inline(token)


def _prefixed(text: str, first: str, others: str) -> str:
    """Put a prefix before each line, and strip trailing spaces."""
    head, *rest = text.split("\n")
    return "\n".join([(first + head).rstrip(), *((others + line).rstrip() for line in rest)])


def _table(tokens: Iterator[Token]) -> str:
    """Render each row as a paragraph of `header: value` lines, because columns do not fit on a phone."""
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "table_close":
            break
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(_inline(token))
    header, *body = rows
    return "\n\n".join(filter(None, (_row(header, row) for row in body))) or " | ".join(header)


def _row(header: Sequence[str], row: Sequence[str]) -> str:
    cells = zip(header, row, strict=False)
    return "\n".join(f"{name}: {value}" if name else value for name, value in cells if value)


@dataclass
class _Span:
    """An emphasis, a strikethrough or a link before its end was read."""

    opening: Token
    mark: str
    parts: list[str] = field(default_factory=list)


def _inline(block: Token, *, bold: bool = False) -> str:
    """Render the text of a paragraph. `bold` means that the whole line is bold, as in a heading.

    It uses a stack instead of recursion, because emphasis can be nested thousands of levels deep.
    """
    tokens = block.children or []
    spans = [_Span(block, "*" if bold else "")]
    active = spans[0].mark
    for token, following in pairwise([*tokens, Token("text", "", 0)]):
        if token.nesting > 0:
            mark = _MARKS.get(token.tag, "")
            # The same mark inside a span would end the span.
            spans.append(_Span(token, "" if mark in active else mark))
            active += spans[-1].mark
        elif token.nesting < 0:
            span = spans.pop()
            active = active.removesuffix(span.mark)
            spans[-1].parts.append(_closed(span, spans[-1].parts, following))
        elif leaf := _leaf(token):
            spans[-1].parts.append(leaf)
    return "".join(spans[0].parts)


def _leaf(token: Token) -> str:
    match token.type:
        case "softbreak" | "hardbreak":
            return "\n"
        case "code_inline":
            return f"`{token.content}`"
        case "image":
            return _link(_inline(token), str(token.attrs["src"]))
    text = _LINE_BREAK_TAG.sub("\n", token.content)
    return _STRAY_BOLD.sub(lambda match: _wrapped(match[1], "*"), text)


def _closed(span: _Span, before: Sequence[str], following: Token) -> str:
    """Render a complete span. `before` is the text before it, `following` the token after it."""
    text = "".join(span.parts)
    if span.opening.tag == "a":
        return _link(text, str(span.opening.attrs["href"]))
    if before and _is_operator(span.opening.tag, before[-1][-1:], following.content[:1]):
        return f"{span.opening.markup}{text}{span.opening.markup}"
    return _wrapped(text, span.mark)


def _is_operator(tag: str, before: str, after: str) -> bool:
    """Return whether the marks are operators, as in `5*3*2`, `a*b*c` and `2**3 + 4**5`."""
    return (before.isdigit() and after.isdigit()) or (tag == "em" and before.isalnum() and after.isalnum())


def _link(text: str, url: str) -> str:
    address = url.removeprefix("mailto:").removeprefix("tel:")
    return address if text in {"", url, address} else f"{text} ({address})"


def _wrapped(text: str, mark: str) -> str:
    """Put each line between marks. WhatsApp's formatting ends at the line end, and the marks must touch the text."""
    return "\n".join(_wrapped_line(line, mark) for line in text.split("\n"))


def _wrapped_line(line: str, mark: str) -> str:
    core = line.strip()
    if not core or not mark:
        return line
    if mark == "_" and len(core) > 1 and core[0] == core[-1] == "*":
        return line.replace(core, f"*_{core[1:-1]}_*", 1)
    return line.replace(core, f"{mark}{core}{mark}", 1)
