"""Patterns with `*`, matched in linear time without regular expressions.

A regular expression for a pattern with many stars takes seconds to match, and a thousand of them take seconds to
compile. People choose these patterns, and calls are matched against them on the event loop.
"""

MAX_STARS = 5
"""Stars in a pattern. More are never needed, and each makes a pattern slower to match."""


def matches(pattern: str, text: str) -> bool:
    """Return whether the pattern matches the whole text. `*` stands for any number of characters."""
    first, *others = pattern.split("*")
    if not others:
        return text == first
    *middle, last = others
    at, end = len(first), len(text) - len(last)
    if at > end or not (text.startswith(first) and text.endswith(last)):
        return False
    for part in middle:
        # The first occurrence leaves the most text for the parts that follow, so no other needs to be tried.
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def has_too_many_stars(pattern: str) -> bool:
    return pattern.count("*") > MAX_STARS
