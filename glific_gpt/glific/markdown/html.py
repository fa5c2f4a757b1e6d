"""Turn the HTML that models write into Markdown, line breaks, and marks that `inline.py` reads.

Only known tags count, and only in pairs, so that `a<b` and `<your name>` stay as they are.
"""

import re
from collections.abc import Callable
from html import unescape

OPENING = "\x01\x02\x03"
CLOSING = "\x04\x05\x06"
MARKS = "*_~"
"""WhatsApp's mark of each character of OPENING and CLOSING."""
_BREAK, _LINE, _PARAGRAPH, _INDENT = "\x07", "\x0e", "\x0f", "\x10"
RESERVED = dict.fromkeys([*range(1, 8), *range(14, 17)])
"""Control characters that stand for tags. A text must not have them before."""
BREAK = _BREAK
"""A line break that is no new line in Markdown, so that it can stand in the cell of a table."""

_INLINE = {"b": "*", "strong": "*", "i": "_", "em": "_", "s": "~", "strike": "~", "del": "~"}
# fmt: off
_IGNORED = {
    "u", "ins", "mark", "small", "big", "span", "font", "center", "sub", "sup", "abbr", "cite", "q", "var", "dfn",
    "label", "time", "html", "head", "body",
}
_BLOCKS = {
    "p", "div", "section", "article", "header", "footer", "main", "details", "summary", "title", "figure",
    "figcaption", "dl", "blockquote",
}
# fmt: on
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_LISTS = {"ul", "ol"}
_ITEMS = {"li", "dt", "dd"}
_CODE = {"code", "kbd", "samp", "tt"}
_VOID = {"br", "hr", "wbr", "img"}
_KNOWN = {*_INLINE, *_IGNORED, *_BLOCKS, *_HEADINGS, *_LISTS, *_ITEMS, *_CODE, *_VOID, "a"}
_MAY_BE_OPEN = {"p", "li"}

_ATTRIBUTE = r"""\s+[\w:-]{1,40}\s?=\s?(?:"[^"<>]{0,2000}"|'[^'<>]{0,2000}'|[^\s"'=<>`]{1,2000})"""
_TAG = re.compile(rf"<(/?)([A-Za-z][A-Za-z0-9]{{0,9}})((?:{_ATTRIBUTE}){{0,20}})\s?/?>")
_HREF = re.compile(r"""\b(?:href|src)\s?=\s?["']?([^\s"'>]*)""", re.IGNORECASE)
_START = re.compile(r"""\bstart\s?=\s?["']?(\d{1,6})""", re.IGNORECASE)
_ALT = re.compile(r"""\balt\s?=\s?["']([^"'>]*)""", re.IGNORECASE)
_PRE = re.compile(r"<pre\b[^<>]*>\s?(?:<code\b[^<>]*>)?(.*?)(?:</code>)?\s?</pre>", re.IGNORECASE | re.DOTALL)
_COMMENT = re.compile(r"[ \t]?<!--(?:[^-]|-(?!->)){0,4000}-->|<!DOCTYPE[^<>]{0,200}>\s?", re.IGNORECASE)
_TABLE = re.compile(r"<table\b[^<>]*>(.*?)</table>", re.IGNORECASE | re.DOTALL)
_ROW = re.compile(r"<tr\b[^<>]*>(.*?)(?:</tr>|(?=<tr\b)|\Z)", re.IGNORECASE | re.DOTALL)
_CELL = re.compile(r"<t[hd]\b[^<>]*>(.*?)(?:</t[hd]>|(?=<t[hd]\b)|\Z)", re.IGNORECASE | re.DOTALL)
_POWER = re.compile(r"<sup>([^<>]{1,40})</sup>", re.IGNORECASE)
_SUPERSCRIPTS = str.maketrans("0123456789+-n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ")
_ORDINALS = {"st", "nd", "rd", "th", "tm", "®", "©"}
_BREAK_AT_LINE_END = re.compile(r"<br\s?/?>[ \t]*\n", re.IGNORECASE)
_SEPARATORS = re.compile(rf"([{_PARAGRAPH}{_LINE}][ \t\n{_PARAGRAPH}{_LINE}]*)")
_MAX_LONG_TAGS = 50
"""Comments and tables of one answer that are read, because the end of each is searched for."""


def superscript(text: str) -> str:
    """Return `²` for `2`, and `^x` for text that has no raised characters."""
    if text.strip().lower() in _ORDINALS:
        return text
    raised = text.translate(_SUPERSCRIPTS)
    return raised if not any(character.isascii() for character in raised) else f"^{text}"


def convert(parts: list[str]) -> list[str]:
    """Convert the tags in parts of a text. Every second part is code, and stays as it is."""
    text = "".join(parts[::2])
    if "<" not in text:
        return parts
    found = [(match[1], match[2].lower()) for match in _TAG.finditer(text)]
    opened = {name for slash, name in found if not slash}
    closed = {name for slash, name in found if slash}
    names = _KNOWN & ((opened & closed) | _VOID | (opened & _MAY_BE_OPEN))
    converter = _Converter(names)
    return [part if number % 2 else converter.convert(part) for number, part in enumerate(parts)]


class _Converter:
    """Converts tags, with the lists and links that are open."""

    def __init__(self, names: set[str]) -> None:
        self._names = names
        self._lists: list[list[int]] = []
        self._links: list[str] = []

    def convert(self, text: str) -> str:
        if 0 < text.count("<!") <= _MAX_LONG_TAGS:
            text = _COMMENT.sub("", text)
        if 0 < text.lower().count("<pre") <= _MAX_LONG_TAGS:
            text = _PRE.sub(lambda match: f"\n```\n{unescape(match[1]).strip()}\n```\n", text)
        text = _BREAK_AT_LINE_END.sub("\n", text)
        if 0 < text.lower().count("<table") <= _MAX_LONG_TAGS:
            text = _TABLE.sub(lambda match: _to_markdown_table(match[1]), text)
        if "sup" in self._names:
            text = _POWER.sub(lambda match: superscript(match[1]), text)
        text = _separate(_TAG.sub(self._replace, text)).replace(_INDENT, "  ")
        first, *others = text.split(_BREAK)
        return _BREAK.join([first.rstrip(" ") if others else first, *(part.strip(" ") for part in others)])

    def _replace(self, match: re.Match[str]) -> str:
        name, is_opening = match[2].lower(), not match[1]
        if name not in self._names:
            return match[0]
        if name in _INLINE:
            return (OPENING if is_opening else CLOSING)[MARKS.index(_INLINE[name])]
        if name in _CODE:
            return "`"
        if name in _HEADINGS:
            return _PARAGRAPH + (_HEADINGS[name] if is_opening else "")
        return self._others(name)(is_opening, match[3])

    def _others(self, name: str) -> Callable[[bool, str], str]:
        others: dict[str, Callable[[bool, str], str]] = {
            "a": self._link,
            "img": lambda _opening, attributes: _image(attributes),
            "br": lambda _opening, _attributes: _BREAK,
            "hr": lambda _opening, _attributes: f"{_PARAGRAPH}---{_PARAGRAPH}",
            "blockquote": lambda opening, _attributes: _PARAGRAPH + ("> " if opening else ""),
            "ul": lambda opening, _attributes: self._list(opening, []),
            "ol": lambda opening, attributes: self._list(opening, [_start(attributes)]),
            "li": lambda opening, _attributes: self._item(opening),
            "dt": lambda opening, _attributes: _LINE if opening else "",
            "dd": lambda opening, _attributes: _LINE if opening else "",
        }
        if name not in _BLOCKS:
            return others.get(name, lambda _opening, _attributes: "")
        if self._lists:  # a paragraph in an item begins behind the item's marker
            return lambda opening, _attributes: "" if opening else _LINE
        return others.get(name, lambda _opening, _attributes: _PARAGRAPH)

    def _link(self, is_opening: bool, attributes: str) -> str:  # noqa: FBT001 - a handler of tags
        if is_opening:
            match = _HREF.search(attributes)
            self._links.append(match[1] if match else "")
            return "[" if match else ""
        href = self._links.pop() if self._links else ""
        return f"](<{href}>)" if href else ""

    def _list(self, is_opening: bool, numbers: list[int]) -> str:  # noqa: FBT001 - a handler of tags
        """Open a list, with the number of its next item if it has numbers, or close one."""
        if is_opening:
            self._lists.append(numbers)
            return _LINE
        if self._lists:
            self._lists.pop()
        return _LINE if self._lists else _PARAGRAPH

    def _item(self, is_opening: bool) -> str:  # noqa: FBT001 - a handler of tags
        if not is_opening:
            return ""
        current = self._lists[-1] if self._lists else []
        marker = f"{current[0]}. " if current else "- "
        if current:
            current[0] += 1
        return _LINE + _INDENT * (len(self._lists) - 1) + marker


def _start(attributes: str) -> int:
    match = _START.search(attributes)
    return int(match[1]) if match else 1


def _image(attributes: str) -> str:
    alt, source = _ALT.search(attributes), _HREF.search(attributes)
    return f"![{alt[1] if alt else ''}](<{source[1] if source else ''}>)"


def _to_markdown_table(content: str) -> str:
    rows = [
        [" ".join(cell.split()).replace("|", "\\|") for cell in _CELL.findall(row)] for row in _ROW.findall(content)
    ]
    rows = [row for row in rows if row]
    if not rows:
        return ""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n\n" + "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]) + "\n\n"


def _separate(text: str) -> str:
    """Replace the characters for lines and paragraphs, with the white space around them."""
    first, *others = _SEPARATORS.split(text)
    if not others:
        return text
    blank = " \t\n" + _BREAK
    separated = [first.rstrip(blank)]
    for separator, part in zip(others[::2], others[1::2], strict=True):
        separated += ["\n\n" if _PARAGRAPH in separator else "\n", part.strip(blank)]
    separated[-1] += part[len(part.rstrip(blank)) :]
    return "".join(separated)
