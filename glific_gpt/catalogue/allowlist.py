"""Lists of model patterns such as gpt-4o*, and whether a model id is on one."""

import re
from collections.abc import Iterable
from functools import lru_cache

_LONGEST = 200
_WELL_FORMED = re.compile(r"[a-z0-9._:/*-]+")
_STARS = re.compile(r"\*+")


def parse(patterns: Iterable[str]) -> tuple[str, ...]:
    """Return the patterns trimmed, in lower case, without blanks and repetitions, in their order.

    Raises ValueError, with one sentence to show, for a pattern that is too long or holds other characters
    than letters, digits and `. _ : / - *`.
    """
    tidy = (_STARS.sub("*", pattern.strip().lower()) for pattern in patterns)
    return tuple(dict.fromkeys(_checked(pattern) for pattern in tidy if pattern))


def allows(patterns: tuple[str, ...], model_id: str) -> bool:
    """Tell whether one of the patterns matches the whole id, in any case; no patterns allow nothing.

    `*` stands for any run of characters but white space, which is in no id of OpenAI. A fine-tune's id
    begins with `ft:`, so it needs a pattern that does.
    """
    return _compiled(patterns).fullmatch(model_id) is not None


def _checked(pattern: str) -> str:
    if len(pattern) > _LONGEST:
        raise ValueError(f"A model pattern can be at most {_LONGEST} characters long.")
    if not _WELL_FORMED.fullmatch(pattern):
        raise ValueError(f"The model pattern {pattern!r} holds more than letters, digits and . _ : / - *")
    return pattern


@lru_cache(maxsize=1024)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    # Without ASCII, ignoring case would let a few foreign letters pass for k and s.
    return re.compile("|".join(map(_regex, patterns)) or r"(?!)", re.IGNORECASE | re.ASCII)


def _regex(pattern: str) -> str:
    first, *rest = map(re.escape, pattern.split("*"))
    if not rest:
        return first
    # Atomic, so that a pattern with many stars cannot make the search go back and forth for ever.
    middle = "".join(rf"(?>\S*?{part})" for part in rest[:-1])
    return rf"{first}{middle}\S*{rest[-1]}"
