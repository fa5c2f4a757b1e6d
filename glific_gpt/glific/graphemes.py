"""Find places where a text can be cut without splitting what a person sees as one character.

Source: Unicode Standard Annex 29, "Grapheme Cluster Boundaries", without the rules for Hangul jamo and prepended marks,
which are rare in messages.
"""

import unicodedata

_JOINER = "\u200d"
_VIRAMA_CLASS = 9
"""Canonical combining class of viramas, which join two consonants to one shape."""
_MAX_SEARCH = 64
"""Characters before the limit among which a boundary is searched for: a text can stack any number of marks."""


def boundary_before(text: str, end: int) -> int:
    """Return the last boundary at or before the index, or the index itself if none is near."""
    first = max(end - _MAX_SEARCH, 0)
    return next((at for at in range(end, first, -1) if _is_boundary(text, at)), end)


def _is_boundary(text: str, at: int) -> bool:
    if at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if _extends(after) or before == _JOINER:
        return False
    if unicodedata.combining(before) == _VIRAMA_CLASS and unicodedata.category(after).startswith("L"):
        return False
    return not (_is_flag_letter(after) and _is_flag_letter(before) and _flag_letters_before(text, at) % 2)


def _extends(character: str) -> bool:
    """Return whether the character belongs to the one before it: a mark, a joiner, a skin tone, a tag of a flag."""
    return (
        unicodedata.category(character).startswith("M")
        or character in {_JOINER, "\u200c"}
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
    )


def _is_flag_letter(character: str) -> bool:
    """Return whether the character is a regional indicator: two of them are a flag."""
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_letters_before(text: str, at: int) -> int:
    first = at
    while first and _is_flag_letter(text[first - 1]):
        first -= 1
    return at - first
