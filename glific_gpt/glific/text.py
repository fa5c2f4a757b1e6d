"""A model's answer as a WhatsApp message: its formatting, its length, nothing that Glific would run."""

import re
import unicodedata
from itertools import accumulate

from glific_gpt.glific.markdown import render
from glific_gpt.glific.variables import neutralise

MESSAGE_LIMIT = 4096
"""The longest text that WhatsApp's providers take."""

# Hostile Markdown is slow to read, and little of what lies beyond could be sent.
_INPUT_LIMIT = 2 * MESSAGE_LIMIT

_CONTROLS = dict.fromkeys({*range(32), *range(127, 160)} - {ord("\t"), ord("\n"), ord("\r")})

_INVISIBLE_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"}
# Grapheme joiner, Hangul fillers, empty Braille; variation selectors only choose how others look.
_INVISIBLE = {
    0x034F,
    0x115F,
    0x1160,
    0x2800,
    0x3164,
    0xFFA0,
    *range(0xFE00, 0xFE10),
    *range(0xE0100, 0xE01F0),
}

_SENTENCE_END = re.compile(r"""(?:(?<![0-9])\.|[!?।॥؟۔።…])["'”’»)\]*_~]*(?=\s)|[。？！]|(?=\n)""")
_CONTINUED = " …"
_JOINER = "\u200d"
_FENCE = "```"
_FENCE_END = "\n```"


def for_whatsapp(answer: str, limit: int = MESSAGE_LIMIT) -> str:
    """The answer ready to be sent: formatted, neutralised, stripped, within the limit (21 to `MESSAGE_LIMIT`).

    Empty only when nothing in the answer is visible.
    """
    return _sendable(to_whatsapp(_storable(answer)), limit)


def as_written(message: str) -> str:
    """A person's own message ready to be sent: as `for_whatsapp`, but what they wrote is not Markdown."""
    return _sendable(_storable(message).strip(), MESSAGE_LIMIT)


def _sendable(text: str, limit: int) -> str:
    text = neutralise(text)
    if _units(text) > limit:
        # A cut may bare one more `@results` or `<` at the end, which takes one character to break.
        text = neutralise(cut(text, limit - 1))
    return "" if is_blank(text) else text


def to_whatsapp(markdown: str) -> str:
    """Markdown in WhatsApp's formatting (see `markdown.render`), stripped.

    Of a text over 8,192 characters only the beginning is read, as a message holds 4,096.
    """
    text = render(cut(markdown, _INPUT_LIMIT))
    # A lone `#` is nothing to Markdown, but something to a reader.
    return markdown.strip() if is_blank(text) else text


def cut(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """The text within the limit (at least 20), cut if need be; a code block left open is closed.

    It ends after the last sentence, if that leaves half the limit; else at the last white space, else
    anywhere, and then with ` …`. Counted in UTF-16 units, the most that "character" can mean: code points
    (Python, WhatsApp) and graphemes (Glific's `String.length`) are never more.
    """
    if _units(text) > limit:
        text = text[_first_visible(text) :]
    if _units(text) <= limit:
        return text
    head = _head(text, limit)
    if head.count(_FENCE) % 2:
        head = _head(text, limit - len(_FENCE_END))
        head += _FENCE_END if head.count(_FENCE) % 2 else ""
    return head


def is_blank(text: str) -> bool:
    """Whether a reader would see nothing: white space, zero-width and control characters alone."""
    return _first_visible(text) == len(text)


def _head(text: str, limit: int) -> str:
    """The beginning of a text that is longer than the limit."""
    end = _fitting(text, limit)
    for found in reversed(list(_SENTENCE_END.finditer(text, end // 2, end + 1))):
        if found.end() <= end:
            return text[: found.end()].rstrip()
    end = _fitting(text, limit - len(_CONTINUED))
    space = text.rfind(" ", end // 2, end + 1)
    return text[: space if space > 0 else end].rstrip() + _CONTINUED


def _fitting(text: str, limit: int) -> int:
    """How many code points fit into that many UTF-16 units."""
    widths = accumulate(_units(character) for character in text[:limit])
    end = sum(width <= limit for width in widths)
    # Marks may be stacked without end, so the way back is short.
    return next((at for at in range(end, max(end - 32, 0), -1) if not _is_joined(text, at)), end)


def _is_joined(text: str, at: int) -> bool:
    """Whether the character there belongs to the one before it: a mark, a joiner, a skin tone."""
    character = text[at : at + 1]
    return bool(character) and (
        character == _JOINER
        or text[at - 1] == _JOINER
        or unicodedata.category(character).startswith("M")
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def _units(text: str) -> int:
    """The length in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _first_visible(text: str) -> int:
    """The place of the first character that a reader sees; the length where there is none."""
    return next((at for at, character in enumerate(text) if _is_visible(character)), len(text))


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in _INVISIBLE_CATEGORIES and ord(character) not in _INVISIBLE


def _storable(text: str) -> str:
    """Without control characters and lone surrogates: Glific's PostgreSQL refuses NUL and halves of pairs."""
    return text.translate(_CONTROLS).encode(errors="ignore").decode()
