"""Render the text of a paragraph: marks, links, code, entities, addresses."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from glific_gpt.glific.markdown.characters import (
    has_letter,
    is_address,
    is_latin_word,
    is_word,
    split_address_at_end,
)
from glific_gpt.glific.markdown.marks import Piece, Span, find_spans, is_double
from glific_gpt.glific.markdown.pieces import References, split_pieces

_SHOWN_SCHEMES = re.compile(r"https?:|mailto:|tel:|www\.|[^:/#]+\.|/", re.IGNORECASE)


@dataclass(frozen=True)
class Paragraph:
    """A parsed paragraph."""

    pieces: Sequence[Piece]

    @classmethod
    def parse(cls, text: str, references: References) -> "Paragraph":
        return cls(split_pieces(text, references))

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
