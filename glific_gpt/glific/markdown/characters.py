"""Classes of characters, and where WhatsApp accepts a formatting mark.

WhatsApp formats `*text*` if the marks touch the text inside and no word outside. A letter of another script than Latin
may follow. Source: WhatsApp's help, "How to format your messages", and how bridges to other messengers read the marks
(mautrix/whatsapp: msgconv/from-whatsapp.go).
"""

import re
import unicodedata

_ADDRESS = re.compile(
    r"(?:(?i:https?://|www\.))[^\s<>\x00-\x1f]+|(?<![A-Za-z0-9.+-])[A-Za-z0-9][\w.+-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}",
    re.ASCII,
)
_HOST = r"(?:[a-z0-9-]{1,63}\.){1,4}"
_DOMAIN = re.compile(
    rf"{_HOST}(?:(?:org|com|net|in|gov|edu|info|int|io|co|ai|app|me|ngo|uk|us)/?|[a-z]{{2,10}}/[^\s<>*]+)",
    re.IGNORECASE,
)
_DOUBLE_MARK = re.compile(r"(\*\*|__|~~)(?![\w/?&=#%])", re.ASCII)
_ADDRESS_ENDS = ".,;:!?*_~'\"”’»।)"


def is_word(character: str) -> bool:
    """Return whether a character is part of a word: a letter, a digit, or a mark that combines with one."""
    return bool(character) and (character.isalnum() or unicodedata.category(character).startswith("M"))


def is_latin_word(character: str) -> bool:
    return character.isascii() and character.isalnum()


def has_letter(text: str) -> bool:
    return any(map(str.isalpha, text))


def find_address(text: str, start: int) -> tuple[int, int] | None:
    """Return start and end of the first web or e-mail address, without punctuation and marks behind it."""
    match = _ADDRESS.search(text, start)
    if not match:
        return None
    address = match[0]
    mark = text[max(match.start() - 2, 0) : match.start()]
    if mark in {"**", "__", "~~"}:
        address = address.partition(mark)[0]
    elif closing := _DOUBLE_MARK.search(address):
        address = address[: closing.start()]
    end = len(address.rstrip(_ADDRESS_ENDS))
    if address[end : end + 1] == ")" and address.count("(", 0, end) > address.count(")", 0, end):
        end += 1
    return match.start(), match.start() + max(end, 1)


def is_address(text: str) -> bool:
    """Return whether the whole text is an address, so that a mark next to it would become part of the link."""
    return find_address(text, 0) == (0, len(text)) or bool(_DOMAIN.fullmatch(text))


def split_address_at_end(text: str) -> tuple[str, str]:
    """Split `text https://address` before its address. The second part is empty if no address ends the text."""
    head, blank, tail = text.rpartition(" ")
    return (head, blank + tail) if blank and is_address(tail) else (text, "")
