"""Render the text of a paragraph: marks, links, code, entities, addresses."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from glific_gpt.glific.markdown import html
from glific_gpt.glific.markdown.characters import (
    find_address,
    has_letter,
    is_address,
    is_latin_word,
    is_word,
    split_address_at_end,
)
from glific_gpt.glific.markdown.marks import Piece, Span, find_spans, is_double

MAX_NESTING = 30

_MARKS = re.compile(rf"\*+|_+|~+|[{html.OPENING}{html.CLOSING}]")
_SHOWN_SCHEMES = re.compile(r"https?:|mailto:|tel:|www\.|[^:/#]+\.|/", re.IGNORECASE)
_HARD_BREAK = re.compile(r"(?<=\S) {2,}(?=\n\S)")
References = Mapping[str, str]
"""Addresses by their normalized labels."""


class _Parser(MarkdownIt):
    """The inline rules of CommonMark without emphasis. URLs are not normalized."""

    def __init__(self, *other_rules: str) -> None:
        super().__init__("js-default", {"maxNesting": MAX_NESTING})
        # `marks.py` reads emphasis, and line breaks stay as they are written.
        self.disable(["emphasis", "strikethrough", "newline", "html_inline", *other_rules])

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - name of the library
        return url


_PARSER = _Parser()
_PARSER_WITHOUT_LINKS = _Parser("link", "image")
"""For texts with brackets that cannot be links: to look for the end of each takes most of the time."""


@dataclass(frozen=True)
class Paragraph:
    """A parsed paragraph."""

    pieces: Sequence[Piece]

    @classmethod
    def parse(cls, text: str, references: References) -> "Paragraph":
        tokens: list[Token] = []
        env = {"references": {label: {"href": url, "title": ""} for label, url in references.items()}}
        parser = _PARSER if references or "](" in text else _PARSER_WITHOUT_LINKS
        parser.inline.parse(_HARD_BREAK.sub("", text), parser, env, tokens)
        return cls(_without_marks_of_addresses(list(_pieces(iter(tokens)))))

    def has_double_marks(self) -> bool:
        return any(map(is_double, self._spans)) or any(_has_double_marks(piece.children) for piece in self.pieces)

    @cached_property
    def _spans(self) -> list[Span]:
        return find_spans(self.pieces, with_single=True)

    def render(self, *, with_single: bool, mark: str = "") -> str:
        """Return WhatsApp text. `mark` is put around the whole paragraph, as in a heading."""
        is_read = with_single or bool(mark)
        spans = self._spans if is_read else find_spans(self.pieces, with_single=False)
        text = _render(self.pieces, spans, with_single=is_read, active=mark, is_whatsapps=not with_single)
        return _wrapped(text, mark, "", "") if mark else text


def _has_double_marks(pieces: Sequence[Piece]) -> bool:
    return any(map(is_double, find_spans(pieces, with_single=True))) or any(
        _has_double_marks(piece.children) for piece in pieces
    )


def _pieces(tokens: Iterator[Token]) -> Iterator[Piece]:
    """Yield the pieces until the end of the link around them."""
    text: list[str] = []
    for token in tokens:
        if token.type == "text":
            text.append(token.content)
            continue
        yield from _split("".join(text))
        text.clear()
        if token.type == "link_close":
            return
        yield _special_piece(token, tokens)
    yield from _split("".join(text))


def _special_piece(token: Token, tokens: Iterator[Token]) -> Piece:
    match token.type:
        case "link_open":
            return _link_piece(list(_pieces(tokens)), str(token.attrs["href"]))
        case "image":
            return _link_piece(list(_pieces(iter(token.children or []))), str(token.attrs["src"]))
        case "code_inline":
            return Piece(_code(token.content, token.markup), "code")
        case "hardbreak":
            return Piece("\n")
    # An escaped character or an entity. WhatsApp has no use for `&nbsp;`, and a flow would not find it as a space.
    return Piece(token.content.replace("\xa0", " "), "special")


def _link_piece(children: list[Piece], href: str) -> Piece:
    text = "".join(child.text for child in children)
    address = href.removeprefix("mailto:").removeprefix("tel:")
    if _is_same_address(text, href):
        return Piece(address, "address")
    return Piece(text + ")", "link", href, children)


def _is_same_address(text: str, href: str) -> bool:
    bare = [
        re.sub(r"^(?:mailto:|tel:|https?://)?(?:www\.)?|/$", "", address.strip(), flags=re.IGNORECASE)
        for address in (text, href)
    ]
    return not text.strip() or bare[0] == bare[1]


def _code(content: str, markup: str) -> str:
    """Return code in WhatsApp's marks, which are one or three backticks."""
    mark = markup if markup in {"`", "```"} else "`" if "`" not in content else "```"
    return f"{mark}{content}{mark}"


def _split(text: str) -> Iterator[Piece]:
    """Yield addresses, runs of mark characters, and the text between them."""
    end = 0
    while end < len(text):
        address = find_address(text, end)
        yield from _split_marks(text[end : address[0] if address else len(text)])
        if not address:
            return
        yield Piece(text[slice(*address)], "address")
        end = address[1]


def _split_marks(text: str) -> Iterator[Piece]:
    end = 0
    for match in _MARKS.finditer(text):
        if match.start() > end:
            yield Piece(text[end : match.start()])
        end = match.end()
        character = match[0][0]
        if character in html.OPENING:
            yield Piece("", "open", html.MARKS[html.OPENING.index(character)])
        elif character in html.CLOSING:
            yield Piece("", "close", html.MARKS[html.CLOSING.index(character)])
        else:
            yield Piece(match[0], "run")
    if end < len(text):
        yield Piece(text[end:])


def _without_marks_of_addresses(pieces: list[Piece]) -> list[Piece]:
    """Remove marks around an address, because a mark that touches it would become part of the link."""
    kept: list[Piece] = []
    for index, piece in enumerate(pieces):
        if piece.kind == "run" and (_is_around(pieces, index, 1) or _is_around(pieces, index - 2, 1)):
            continue
        kept.append(piece)
    return kept


def _is_around(pieces: Sequence[Piece], index: int, distance: int) -> bool:
    """Return whether the piece and the second after it are the same marks around an address."""
    if index < 0 or index + 2 >= len(pieces):
        return False
    opening, address, closing = pieces[index : index + 3]
    before = pieces[index - distance].text[-1:] if index else ""
    return (
        address.kind == "address"
        and opening.kind == closing.kind == "run"
        and opening.text == closing.text
        and not is_word(before)
    )


@dataclass
class _OpenSpan:
    """A span before its end was reached."""

    span: Span | None
    mark: str
    before: str = ""
    parts: list[str] = field(default_factory=list)


def _render(
    pieces: Sequence[Piece],
    spans: Sequence[Span],
    *,
    with_single: bool,
    active: str = "",
    is_whatsapps: bool = False,
) -> str:
    """Render pieces with a stack instead of recursion. Marks inside of the same mark are left out."""
    if not spans and not active:
        return "".join(_text(piece, 0, with_single=with_single) for piece in pieces)
    starting: dict[int, list[Span]] = {}
    for span in sorted(spans, key=lambda span: (-span.end, -span.size)):
        starting.setdefault(span.start, []).append(span)
    used: dict[int, int] = {}
    for span in spans:
        used[span.start] = used.get(span.start, 0) + span.size
        used[span.end] = used.get(span.end, 0) + span.size
    stack = [_OpenSpan(None, active)]
    for index, piece in enumerate(pieces):
        while (innermost := stack[-1].span) and innermost.end == index:
            _close(stack, pieces[index + 1].text[:1] if index + 1 < len(pieces) else "")
        stack[-1].parts.append(_text(piece, used.get(index, 0), with_single=with_single))
        for span in starting.get(index, []):
            mark = "*" if is_whatsapps and span.size == 1 and span.mark == "_" else span.mark
            is_active = any(mark == outer.mark for outer in stack)
            before = pieces[index - 1].text[-1:] if index else ""
            stack.append(_OpenSpan(span, "" if is_active else mark, before))
    while len(stack) > 1:
        _close(stack, "")
    return "".join(stack[0].parts)


def _close(stack: list[_OpenSpan], after: str) -> None:
    closed = stack.pop()
    stack[-1].parts.append(_wrapped("".join(closed.parts), closed.mark, closed.before, after))


def _text(piece: Piece, used: int, *, with_single: bool) -> str:
    if piece.kind == "link":
        spans = find_spans(piece.children, with_single=with_single)
        text = _render(piece.children, spans, with_single=with_single).strip()
        address = piece.href.removeprefix("mailto:").removeprefix("tel:")
        return f"{text} ({address})" if _SHOWN_SCHEMES.match(address) or piece.href.startswith("tel:") else text
    return piece.text[used:] if piece.kind == "run" else piece.text


def _wrapped(text: str, mark: str, before: str, after: str) -> str:
    """Put each line between marks, if WhatsApp shows them there. Its formatting ends at the end of a line."""
    is_at_word = (is_word(before) and not text[:1].isspace()) or (is_latin_word(after) and not text[-1:].isspace())
    if not mark or is_at_word:
        return text
    return "\n".join(_wrapped_line(line, mark) for line in text.split("\n"))


def _wrapped_line(line: str, mark: str) -> str:
    core, address = split_address_at_end(line.strip())
    if not core or is_address(core) or _would_end(core, mark):
        return line
    start = line.index(core)
    rest = address + line[start + len(core) + len(address) :]
    if mark == "_" and len(core) > 1 and core[0] == core[-1] == "*" and "*" not in core[1:-1]:
        return f"{line[:start]}*_{core[1:-1]}_*{rest}"
    return f"{line[:start]}{mark}{core}{mark}{rest}"


def _would_end(text: str, mark: str) -> bool:
    """Return whether WhatsApp would end the format inside the text, or the text has nothing to format."""
    if text[0] == mark or text[-1] == mark:
        return True
    at = text.find(mark)
    while at > 0:
        if not text[at - 1].isspace() and not is_word(text[at + 1 : at + 2]):
            return True
        at = text.find(mark, at + 1)
    return not any(character.isalnum() or not character.isascii() for character in text) and not has_letter(text)


__all__ = ["Any", "Paragraph", "References"]
