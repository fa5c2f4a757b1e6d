"""Turn a model's answer into a WhatsApp message: format it, limit its length, neutralise code that Glific would run."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from functools import partial

from glific_gpt.glific.graphemes import boundary_before
from glific_gpt.glific.markdown import estimate_work, is_long_work, render
from glific_gpt.glific.model_output import remove_marks, remove_thinking
from glific_gpt.glific.variables import JSON, find_texts, map_json, neutralise

MAX_MESSAGE_CHARACTERS = 4095
"""Glific refuses longer messages (glific/glific: Messages, `String.length(body) < 4096`)."""

EMPTY_VALUE = "-"
"""Stands for null and empty texts in decoded answers, unless the flow chooses another text."""

_MAX_JSON_WORK = 64 * 1024
"""Sum of `estimate_work` over the texts of a JSON answer that are read as Markdown: about half a second at most."""

_MANY_TEXTS = 30
"""Texts of a JSON answer from which on formatting them may take more than a few milliseconds."""

_MAX_ANSWER_CHARACTERS = 64 * 1024
"""Characters after the thinking in which marks of sources are searched for."""

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

_NO_ABBREVIATION = "".join(rf"(?<!\b{word})" for word in ("Dr", "Mr", "Mrs", "Ms", "No", "Rs", "vs", "e\\.g", "i\\.e"))
_SENTENCE_END = re.compile(rf"""(?:(?<![0-9]){_NO_ABBREVIATION}\.|[!?।॥؟۔።…])["'”’»)\]*_~]*(?=\s)|[。？！]|(?=\n)""")
_FINISHED = re.compile(r"""[.!?।॥؟۔。？！]['"’”»)\]*_~`]*\Z""")
_ELLIPSIS = " …"
_FENCE = "```"
_FENCE_END = "\n```"


def format_for_whatsapp(answer: str, limit: int = MAX_MESSAGE_CHARACTERS) -> str:
    """Format a model's Markdown as a message within the limit (21 to `MAX_MESSAGE_CHARACTERS`).

    The message is neutralised and stripped. It is empty only if the answer has no visible character beside thinking and
    marks of sources.
    """
    text = remove_thinking(_remove_unstorable(answer))
    if len(text) > _MAX_ANSWER_CHARACTERS:
        start = _first_visible(text)
        text = text[start : start + _MAX_ANSWER_CHARACTERS]
    return _limit(render_for_whatsapp(remove_marks(text)), limit)


def format_json_for_whatsapp(value: JSON, limit: int = MAX_MESSAGE_CHARACTERS, empty_value: str = EMPTY_VALUE) -> JSON:
    """Return a copy of a decoded answer with each text formatted as a message within the limit.

    `empty_value` stands for null and for texts without a visible character: in their place Glific would send the name
    of its variable. Above a sum of 65,536, texts are no longer read as Markdown, which bounds the work. A text counts
    with its characters, and if it may hold Markdown also with 50, and with 10 for each `[`. Latin letters without marks
    do not count.
    """
    replacement = sanitize_message(empty_value, limit) or EMPTY_VALUE
    work = 0

    def change(text: str | None) -> str:
        nonlocal work
        if not text:
            return replacement
        if _is_plain(text, limit):
            return text.strip()
        if work <= _MAX_JSON_WORK:
            work += estimate_work(text)
        is_read = work <= _MAX_JSON_WORK
        return (format_for_whatsapp(text, limit) if is_read else sanitize_message(text, limit)) or replacement

    return map_json(value, change)


def is_long_json_work(value: JSON) -> bool:
    """Return whether formatting all texts of a decoded answer may take more than a few milliseconds."""
    texts = list(find_texts(value))
    return len(texts) >= _MANY_TEXTS or is_long_work("\n".join(texts))


def sanitize_message(message: str, limit: int = MAX_MESSAGE_CHARACTERS) -> str:
    """Prepare a message that staff wrote. Same as `format_for_whatsapp`, without reading it as Markdown."""
    return _limit(_remove_unstorable(message).strip(), limit)


def sanitize_json(value: JSON) -> JSON:
    """Return a copy of a JSON value with each text prepared like a message that staff wrote.

    `EMPTY_VALUE` stands for null and for texts without a visible character.
    """
    return map_json(value, lambda text: sanitize_message(text or "") or EMPTY_VALUE)


def _limit(text: str, limit: int) -> str:
    """Neutralise the text and cut it to the limit. Return an empty text if nothing in it is visible."""
    text = neutralise(text)
    if _units(text) > limit:
        text = _neutralise_cut(partial(truncate, text), limit - 1)
    return "" if is_blank(text) else text


def _neutralise_cut(cut: Callable[[int], str], limit: int) -> str:
    """Neutralise a text that is cut to the limit.

    A cut can leave one more `@results` or `<` at the end. To neutralise it takes one more character than the limit,
    and two more in an address.
    """
    text = neutralise(cut(limit))
    return text if _units(text) <= limit + 1 else neutralise(cut(limit - 1))


def render_for_whatsapp(markdown: str) -> str:
    """Render Markdown with WhatsApp's formatting (see `markdown.render`), stripped.

    Only the first 8,190 characters are read, because a message holds 4,095.
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


def end_after_sentence(text: str, limit: int = MAX_MESSAGE_CHARACTERS) -> str:
    """End a text that the model did not finish after its last whole sentence, and add ` …`.

    Without a whole sentence it stays whole. An open code block is closed. The result is within the limit and
    neutralised, if the text is.
    """
    return _neutralise_cut(partial(_end_after_sentence, text), limit - 1)


def _end_after_sentence(text: str, limit: int) -> str:
    room = limit - len(_ELLIPSIS)
    head = _whole_sentences(text, room)
    if head.count(_FENCE) % 2:
        head = _whole_sentences(text, room - len(_FENCE_END))
        head += _FENCE_END if head.count(_FENCE) % 2 else ""
    return (head + _ELLIPSIS).strip()


def _whole_sentences(text: str, limit: int) -> str:
    """Return the beginning of the text up to the last sentence end within the limit, or all that fits."""
    head = truncate(text, limit).removesuffix(_ELLIPSIS).rstrip()
    if _FINISHED.search(head):
        return head
    ends = [match.end() for match in _SENTENCE_END.finditer(head)]
    return head[: ends[-1] if ends else len(head)].rstrip()


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
    return boundary_before(text, end)


def _units(text: str) -> int:
    """Return the length in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _first_visible(text: str) -> int:
    """Return the index of the first visible character, or the length of the text if there is none."""
    return next((at for at, character in enumerate(text) if _is_visible(character)), len(text))


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in _INVISIBLE_CATEGORIES and ord(character) not in _INVISIBLE


def _is_plain(text: str, limit: int) -> bool:
    """Return whether a text is certainly a message as it is, apart from spaces at its ends. Much faster than others."""
    return len(text) <= limit and text.isascii() and text.replace(" ", "").isalnum() and "citeturn" not in text


def _remove_unstorable(text: str) -> str:
    """Remove control characters and lone surrogates. Glific's PostgreSQL refuses NUL and lone surrogates."""
    if text.isprintable():
        return text
    return text.translate(_CONTROLS).encode(errors="ignore").decode()
