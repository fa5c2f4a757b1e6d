"""Find the pairs of Markdown's marks in a paragraph: `**bold**`, `__bold__`, `*italic*`, `~~strike~~`.

CommonMark would also read codes and formulas as marks (`*99*1#`, `c**ll@g**.com`, `5*3*2`). So a mark counts only where
WhatsApp could show it: it touches the text inside, and no word outside. Single marks other than `*` are the same in
Markdown and in WhatsApp, and stay as they are.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from glific_gpt.glific.markdown.characters import has_letter, is_latin_word, is_word

MAX_RUNS = 400
"""Marks of one paragraph that are paired. Further marks stay as they are, which keeps the work small."""

_CLOSING_BRACKETS = ")]}"
_OPENING_BRACKETS = "([{"
_SPACE = re.compile(r"\s")
_MAX_WORD = 64
_END_OF_LABEL = (":", ".", "!", "?", "।", "…", "-", "–", "—")
_SINGLE, _DOUBLE, _TRIPLE = 1, 2, 3


@dataclass
class Piece:
    """A part of a paragraph: text, an address, a run of one mark character, HTML's marks, or a link."""

    text: str
    kind: str = "text"
    href: str = ""
    children: "list[Piece]" = field(default_factory=list)


@dataclass(frozen=True)
class Span:
    """Two runs that belong together. `mark` is WhatsApp's character; empty if the marks are left out."""

    start: int
    end: int
    mark: str
    size: int
    """How many characters of each run belong to the pair."""


@dataclass
class _Run:
    """A run of the same character, with its neighbours."""

    index: int
    character: str
    size: int
    before: str
    after: str
    word_after: str
    remaining: int = 0

    def can_open(self) -> bool:
        if not self.after or self.after.isspace() or self.size > _TRIPLE:
            return False
        if self.character == "*" and self.size > _SINGLE:
            return not is_latin_word(self.before)
        return not is_word(self.before) and self.before not in {*_CLOSING_BRACKETS, "/", "\\"}

    def can_close(self) -> bool:
        if not self.before or self.before.isspace() or self.size > _TRIPLE:
            return False
        if self.character == "*" and self.size > _SINGLE:
            return not is_latin_word(self.after) or (self.after.isalpha() and not _is_code(self.word_after))
        if self.character == "_":
            is_name = self.after == "." and is_word(self.word_after[1:2])  # as in `__init__.py`
            return not is_word(self.after) and not is_name
        return not is_latin_word(self.after) and self.after not in {*_OPENING_BRACKETS, "/"}


def find_spans(pieces: Sequence[Piece], *, with_single: bool) -> list[Span]:
    """Return the pairs of marks. `with_single` also reads `*text*`, as italics."""
    runs = list(islice(_runs(pieces), MAX_RUNS))
    if not runs:
        return list(_html_spans(pieces))
    parts = list(_adjacent_pairs(pieces, runs, _part_mark, []))
    spans = [*parts, *_pairs(pieces, _unused(runs, parts), with_single=with_single)]
    return [*_html_spans(pieces), *spans, *_adjacent_pairs(pieces, _unused(runs, spans), _stray_mark, spans)]


def is_double(span: Span) -> bool:
    """Return whether the span has a mark that only Markdown has."""
    return span.size == _DOUBLE


def _runs(pieces: Sequence[Piece]) -> Iterator[_Run]:
    for index, piece in enumerate(pieces):
        if piece.kind == "run":
            before = pieces[index - 1].text[-1:] if index else ""
            after = pieces[index + 1].text if index + 1 < len(pieces) else ""
            word = _SPACE.split(after[:_MAX_WORD], maxsplit=1)[0]
            yield _Run(index, piece.text[0], len(piece.text), before, after[:1], word, remaining=len(piece.text))


def _pairs(pieces: Sequence[Piece], runs: Sequence[_Run], *, with_single: bool) -> Iterator[Span]:
    openers: list[_Run] = []
    for run in runs:
        if run.size == _SINGLE and not (with_single and run.character == "*"):
            continue
        if run.can_close():
            yield from _close(pieces, openers, run, with_single=with_single)
        if run.remaining and run.remaining == run.size and run.can_open():
            openers.append(run)


def _close(pieces: Sequence[Piece], openers: list[_Run], run: _Run, *, with_single: bool) -> Iterator[Span]:
    """Pair a closing run with the nearest openers that have room for it."""
    for position in range(len(openers) - 1, -1, -1):
        opener = openers[position]
        sizes = [size for size in (_DOUBLE, _SINGLE) if _fits(opener, run, size, with_single=with_single)]
        if not sizes:
            continue
        # Only the nearest opener counts, which also bounds the work.
        if not _holds_text(pieces, opener, run, sizes[0]):
            return
        for size in sizes:
            if min(opener.remaining, run.remaining) >= size:
                opener.remaining -= size
                run.remaining -= size
                yield Span(opener.index, run.index, _mark(run.character, size), size)
        del openers[position + (opener.remaining > 0) :]
        if not run.remaining:
            return


def _fits(opener: _Run, run: _Run, size: int, *, with_single: bool) -> bool:
    """Return whether both runs have enough marks left. Two marks are never split, as `*a**` is no pair."""
    if opener.character != run.character or min(opener.remaining, run.remaining) < size:
        return False
    if run.character == "~" and size == _SINGLE:
        return False
    if size == _SINGLE:
        is_part_of_triple = _TRIPLE in {opener.size, run.size}
        return (with_single or is_part_of_triple) and _DOUBLE not in {opener.remaining, run.remaining}
    return True


def _mark(character: str, size: int) -> str:
    if character == "~":
        return "~"
    return "*" if size == _DOUBLE else "_"


def _holds_text(pieces: Sequence[Piece], opener: _Run, run: _Run, size: int) -> bool:
    content = _between(pieces, opener, run)
    if size == _SINGLE and run.size == opener.size == _SINGLE:
        return "\n" not in content and has_letter(content)
    # `**98765***` is a masked number.
    return has_letter(content) or (run.size == opener.size and any(not character.isspace() for character in content))


def _between(pieces: Sequence[Piece], opener: _Run, run: _Run) -> str:
    return "".join(piece.text for piece in pieces[opener.index + 1 : run.index])


def _unused(runs: Sequence[_Run], spans: Sequence[Span]) -> list[_Run]:
    used = {span.start for span in spans} | {span.end for span in spans}
    return [run for run in runs if run.index not in used]


def _adjacent_pairs(
    pieces: Sequence[Piece],
    runs: Sequence[_Run],
    find_mark: Callable[[Sequence[Piece], _Run, _Run], str | None],
    spans: Sequence[Span],
) -> Iterator[Span]:
    """Pair `**` with the next one where models write them although they are no marks in CommonMark."""
    runs = [run for run in runs if run.character == "*"]
    position = 0
    while position + 1 < len(runs):
        opener, run = runs[position : position + 2]
        mark = find_mark(pieces, opener, run) if opener.size == run.size == _DOUBLE else None
        if mark is None or any(
            (opener.index < span.start < run.index) != (opener.index < span.end < run.index) for span in spans
        ):
            position += 1
        else:
            yield Span(opener.index, run.index, mark, _DOUBLE)
            position += 2


def _part_mark(pieces: Sequence[Piece], opener: _Run, run: _Run) -> str | None:
    """Return no mark for a part of a word, as in `play**ed**` and `**5**kg`: WhatsApp shows none there."""
    content = _between(pieces, opener, run)
    is_start = opener.can_open() and run.after.isascii() and run.after.isalpha() and content.isalnum()
    is_end = is_latin_word(opener.before) and run.can_close() and content.isalpha() and len(content) > 1
    is_inside = opener.before.isalpha() and run.after.isalpha() and content.isalpha()
    if not (is_start or is_end or is_inside):
        return None
    before = _word_before(pieces, opener)
    if _is_code(before + run.word_after):
        return None
    return "" if not is_inside or min(map(len, (before, content, run.word_after))) > 1 else None


def _stray_mark(pieces: Sequence[Piece], opener: _Run, run: _Run) -> str | None:
    """Return the mark of two runs that have blanks inside, as in `**Note: **text`, or None if they are no pair."""
    content = _between(pieces, opener, run)
    if "\n" in content or not has_letter(content) or run.after.isdigit():
        return None
    is_label = run.before.isspace() and content.rstrip().endswith(_END_OF_LABEL)
    is_quoted = not run.before.isspace() and (not is_word(run.before) or run.after.isalpha())
    if opener.can_open() and (is_label or is_quoted):
        return "*"
    is_after_word = opener.before.isalpha() and not opener.after.isspace() and run.can_close()
    if is_after_word and not is_word(run.after) and not _is_code(_word_before(pieces, opener) + content):
        return "*"
    return "*" if opener.before in {"", "\n"} and opener.after.isspace() and run.can_close() else None


def _word_before(pieces: Sequence[Piece], run: _Run) -> str:
    return _SPACE.split(pieces[run.index - 1].text[-_MAX_WORD:])[-1] if run.index else ""


def _is_code(word: str) -> bool:
    """Return whether stars in this word belong to a masked address or number."""
    return "@" in word or any(map(str.isdigit, word))


def _html_spans(pieces: Sequence[Piece]) -> Iterator[Span]:
    """Pair the marks that stand for HTML's tags."""
    openers: list[int] = []
    for index, piece in enumerate(pieces):
        if piece.kind == "open":
            openers.append(index)
        elif piece.kind == "close":
            for position in range(len(openers) - 1, -1, -1):
                if pieces[openers[position]].href == piece.href:
                    yield Span(openers[position], index, piece.href, 0)
                    del openers[position:]
                    break
