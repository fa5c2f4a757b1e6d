"""Split the text of a paragraph into pieces: text, runs of marks, links, code, addresses."""

import re
from collections.abc import Iterator, Mapping, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from glific_gpt.glific.markdown import html
from glific_gpt.glific.markdown.characters import find_address, is_word
from glific_gpt.glific.markdown.marks import Piece

MAX_NESTING = 30
_MARKS = re.compile(rf"\*+|_+|~+|[{html.OPENING}{html.CLOSING}]")
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


def split_pieces(text: str, references: References) -> list[Piece]:
    """Return the pieces of a text. Links can use the references of the whole message."""
    tokens: list[Token] = []
    env = {"references": {label: {"href": url, "title": ""} for label, url in references.items()}}
    parser = _PARSER if references or "](" in text else _PARSER_WITHOUT_LINKS
    parser.inline.parse(_HARD_BREAK.sub("", text), parser, env, tokens)
    return _without_marks_of_addresses(list(_pieces(iter(tokens))))


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
