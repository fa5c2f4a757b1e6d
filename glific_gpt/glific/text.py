"""Turn a model's answer into a WhatsApp message: format it, limit its length, neutralise code that Glific would run."""

import re
import unicodedata
from bisect import bisect_right

from glific_gpt.glific.markdown import render
from glific_gpt.glific.variables import neutralise

MAX_MESSAGE_CHARACTERS = 4096
"""Limit of WhatsApp's providers."""

# Hostile Markdown is slow to parse, and text beyond this limit would be cut from the message anyway.
_MAX_INPUT_CHARACTERS = 2 * MAX_MESSAGE_CHARACTERS

_CONTROLS = dict.fromkeys({*range(32), *range(127, 160)} - {ord("\t"), ord("\n"), ord("\r")})

_INVISIBLE_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"}
# Invisible characters of other categories: grapheme joiner, Hangul fillers, empty Braille, variation selectors.
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
_ELLIPSIS = " …"
_ZERO_WIDTH_JOINER = "\u200d"
_FENCE = "```"
_FENCE_END = "\n```"


def format_for_whatsapp(answer: str, limit: int = MAX_MESSAGE_CHARACTERS) -> str:
    """Format a model's Markdown as a message within the limit (21 to `MAX_MESSAGE_CHARACTERS`).

    The message is neutralised and stripped. It is empty only if the answer has no visible character.
    """
    return _limit(render_for_whatsapp(_remove_unstorable(answer)), limit)


def sanitize_message(message: str) -> str:
    """Prepare a message that staff wrote. Same as `format_for_whatsapp`, without reading it as Markdown."""
    return _limit(_remove_unstorable(message).strip(), MAX_MESSAGE_CHARACTERS)


def _limit(text: str, limit: int) -> str:
    """Neutralise the text and cut it to the limit. Return an empty text if nothing in it is visible."""
    text = neutralise(text)
    if _units(text) > limit:
        # A cut can leave one more `@results` or `<` at the end; to neutralise it takes one character.
        text = neutralise(truncate(text, limit - 1))
    return "" if is_blank(text) else text


def render_for_whatsapp(markdown: str) -> str:
    """Render Markdown with WhatsApp's formatting (see `markdown.render`), stripped.

    Only the first 8,192 characters are read, because a message holds 4,096.
    """
    text = render(truncate(markdown, _MAX_INPUT_CHARACTERS))
    # Markdown renders a lone `#` as nothing, but it is visible to a contact.
    return markdown.strip() if is_blank(text) else text


def truncate(text: str, limit: int = MAX_MESSAGE_CHARACTERS) -> str:
    """Cut the text to the limit (at least 20). An open code block is closed.

    The cut is after the last sentence if at least half of the limit remains. Otherwise it is at the last space, or
    anywhere, and ` …` is added. Characters are UTF-16 units, the largest count: code points (Python, WhatsApp) and
    graphemes (Glific's `String.length`) are never more.
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
    """Return whether the text has only white space, zero-width characters and control characters."""
    return _first_visible(text) == len(text)


def _head(text: str, limit: int) -> str:
    """Return the beginning of a text that is longer than the limit."""
    end = _prefix_length(text, limit)
    for match in reversed(list(_SENTENCE_END.finditer(text, end // 2, end + 1))):
        if match.end() <= end:
            return text[: match.end()].rstrip()
    end = _prefix_length(text, limit - len(_ELLIPSIS))
    space = text.rfind(" ", end // 2, end + 1)
    return text[: space if space > 0 else end].rstrip() + _ELLIPSIS


def _prefix_length(text: str, limit: int) -> int:
    """Return how many code points fit into that many UTF-16 units, without splitting a combined character."""
    end = bisect_right(range(min(len(text), limit) + 1), limit, key=lambda length: _units(text[:length])) - 1
    # A text can stack any number of combining marks, so the search for a boundary ends after 32 characters.
    return next((at for at in range(end, max(end - 32, 0), -1) if not _continues_previous(text, at)), end)


def _continues_previous(text: str, at: int) -> bool:
    """Return whether the character combines with the one before it: a mark, a joiner, a skin tone."""
    character = text[at : at + 1]
    return bool(character) and (
        character == _ZERO_WIDTH_JOINER
        or text[at - 1] == _ZERO_WIDTH_JOINER
        or unicodedata.category(character).startswith("M")
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def _units(text: str) -> int:
    """Return the length in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _first_visible(text: str) -> int:
    """Return the index of the first visible character, or the length of the text if there is none."""
    return next((at for at, character in enumerate(text) if _is_visible(character)), len(text))


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in _INVISIBLE_CATEGORIES and ord(character) not in _INVISIBLE


def _remove_unstorable(text: str) -> str:
    """Remove control characters and lone surrogates. Glific's PostgreSQL refuses NUL and lone surrogates."""
    return text.translate(_CONTROLS).encode(errors="ignore").decode()
