"""Markdown, as language models write it, turned into WhatsApp's formatting."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

_MARKS = {"strong": "*", "em": "_", "s": "~"}
_RULE = "───"
# CommonMark leaves `**Note: **text` and `**"ORS"**का` as they are, which models write all the same.
_STRAY_BOLD = re.compile(r"\*\*(?=\S)([^*\n]+)\*\*")
_LINE_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)
# Lines that begin with a letter and hold no mark, one blank line between them at most: they mean what they say.
_LINE = r"[^\W\d_][^\r\n\x00*_`~<\[\\&]*"
_PLAIN = re.compile(rf"{_LINE}(?:(?<!\s)\n\n?{_LINE})*")


class _Parser(MarkdownIt):
    """Tables and strikethrough on; HTML is text; addresses stay as they were written."""

    def __init__(self) -> None:
        # Blocks deeper than maxNesting are dropped: far more than people nest, little enough to recurse.
        super().__init__("js-default", {"maxNesting": 30})
        # Plain text falls into these by accident: indented lines, `text` over `---`, `[Note]: text`.
        self.disable(["code", "lheading", "reference"])

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - the library's name
        return url


_PARSER = _Parser()


def render(markdown: str) -> str:
    """WhatsApp text: `*bold*`, `_italic_`, `~strike~`, code, `- ` and `1. ` lists, `> ` quotes.

    CommonMark decides what a mark means, so `*x*` is italic and becomes `_x_`. Headings become bold lines,
    links `text (address)`, table cells `header: value` lines, `<br>` a line break. Line breaks stay, and
    so do blank lines between blocks, one at most. The marks: WhatsApp's help, "How to format your messages".
    """
    source = markdown.replace("\r\n", "\n").replace("\r", "\n")
    if plain := _PLAIN.fullmatch(source.strip()):  # as most answers are; parsing would be a twelfth of a call's time
        return plain[0]
    return _blocks(iter(_PARSER.parse(source)), source.split("\n")).strip()


def _blocks(tokens: Iterator[Token], lines: Sequence[str]) -> str:
    """The blocks up to the end of the one that holds them."""
    blocks: list[str] = []
    number = 0
    for token in tokens:
        if token.nesting < 0:
            break
        if token.type == "list_item_open" and token.info:
            # Numbers stay as written, but `1. 1. 1.` is Markdown for 1, 2, 3.
            number = max(int(token.info), number + 1)
            token.info = str(number)
        if block := _block(token, tokens, lines):
            blocks.append((_gap(token, lines) if blocks else "") + block)
    return "".join(blocks)


def _gap(token: Token, lines: Sequence[str]) -> str:
    """What parts a block from the one before: a blank line where the source has one."""
    before = lines[token.map[0] - 1] if token.map else ""
    return "\n" if before.strip(" \t>") else "\n\n"


def _block(token: Token, tokens: Iterator[Token], lines: Sequence[str]) -> str:
    """One block; what is inside it is taken from `tokens`."""
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
    """The lines, each behind its prefix, none ending in a space."""
    head, *rest = text.split("\n")
    return "\n".join([(first + head).rstrip(), *((others + line).rstrip() for line in rest)])


def _table(tokens: Iterator[Token]) -> str:
    """A paragraph of `header: value` lines for each row: columns do not fit on a phone."""
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
    """An emphasis, a strikethrough or a link that is being read."""

    opening: Token
    mark: str
    parts: list[str] = field(default_factory=list)


def _inline(block: Token, *, bold: bool = False) -> str:
    """The text of a paragraph with its marks; `bold` when a bold line is being written.

    A stack, not recursion: emphasis may nest thousands deep.
    """
    tokens = block.children or []
    spans = [_Span(block, "*" if bold else "")]
    active = spans[0].mark
    for token, following in pairwise([*tokens, Token("text", "", 0)]):
        if token.nesting > 0:
            mark = _MARKS.get(token.tag, "")
            # A mark inside itself would end it.
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
    return _STRAY_BOLD.sub(lambda found: _wrapped(found[1], "*"), text)


def _closed(span: _Span, before: Sequence[str], following: Token) -> str:
    """A span as WhatsApp writes it, given the text before it and the token after it."""
    text = "".join(span.parts)
    if span.opening.tag == "a":
        return _link(text, str(span.opening.attrs["href"]))
    if before and _multiplies(span.opening.tag, before[-1][-1:], following.content[:1]):
        return f"{span.opening.markup}{text}{span.opening.markup}"
    return _wrapped(text, span.mark)


def _multiplies(tag: str, before: str, after: str) -> bool:
    """Whether the marks are operators, as in `5*3*2`, `a*b*c` and `2**3 + 4**5`."""
    return (before.isdigit() and after.isdigit()) or (tag == "em" and before.isalnum() and after.isalnum())


def _link(text: str, url: str) -> str:
    address = url.removeprefix("mailto:").removeprefix("tel:")
    return address if text in {"", url, address} else f"{text} ({address})"


def _wrapped(text: str, mark: str) -> str:
    """Each line between marks: WhatsApp's formatting ends with the line and must touch its text."""
    return "\n".join(_wrapped_line(line, mark) for line in text.split("\n"))


def _wrapped_line(line: str, mark: str) -> str:
    core = line.strip()
    if not core or not mark:
        return line
    if mark == "_" and len(core) > 1 and core[0] == core[-1] == "*":
        return line.replace(core, f"*_{core[1:-1]}_*", 1)
    return line.replace(core, f"{mark}{core}{mark}", 1)
