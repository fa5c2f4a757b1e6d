"""How long OpenAI asks to wait, from the headers and the message of a refusal.

Sources: https://developers.openai.com/api/docs/guides/rate-limits, and replies quoted in public bug reports: not every
refusal has a Retry-After header.
"""

import re
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from math import isfinite

from glific_gpt.clock import now

_UNIT_SECONDS = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "millisecond": 1e-3, "milliseconds": 1e-3,
    "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1,
    "m": 60, "min": 60, "mins": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600,
    "d": 86_400, "day": 86_400, "days": 86_400,
}  # fmt: skip
_UNITS = "|".join(sorted(_UNIT_SECONDS, key=len, reverse=True))
_PART = re.compile(rf"(\d{{1,12}}(?:\.\d{{1,12}})?)\s?({_UNITS})(?![a-z])")
_DURATION = rf"(?:\d{{1,12}}(?:\.\d{{1,12}})?\s?(?:{_UNITS})(?![a-z])(?:,? (?:and )?)?){{1,6}}"
_WHOLE_DURATION = re.compile(_DURATION)
_TRY_AGAIN = re.compile(rf"\b(?:try again|retry) (?:in|after) (?:about )?({_DURATION})")

RESET = "x-ratelimit-reset-"
REMAINING = "x-ratelimit-remaining-"
HEADERS = ("retry-after", "retry-after-ms", "x-should-retry")
"""Headers that are read, besides those that begin with RESET and REMAINING."""


def is_read(name: str) -> bool:
    """Return whether the header, in lower case, says when to try again."""
    return name in HEADERS or name.startswith((RESET, REMAINING))


def seconds_to_wait(headers: Mapping[str, str], message: str, kind: str) -> float | None:
    """Return the seconds after which the same request may succeed; None if OpenAI does not say.

    Names of headers and the message are in lower case. `kind` is the type of the error, such as "tokens". The first of
    these counts: the headers that ask to wait, the message, and the time at which the limit is reset.
    """
    for seconds in (
        _milliseconds(headers.get("retry-after-ms")),
        _retry_after(headers.get("retry-after")),
        _from_message(message),
        _until_reset(headers, message, kind),
    ):
        if seconds is not None:
            return seconds
    return None


def parse_duration(text: str) -> float | None:
    """Return the seconds of a duration such as 7m12s, 1h2m3.5s or 6ms; None for other text."""
    found = text.strip().lower()
    return _sum(found) if _WHOLE_DURATION.fullmatch(found) else None


def _sum(duration: str) -> float:
    return sum(float(number) * _UNIT_SECONDS[unit] for number, unit in _PART.findall(duration))


def _milliseconds(value: str | None) -> float | None:
    seconds = _number(value)
    return None if seconds is None else seconds / 1000


def _retry_after(value: str | None) -> float | None:
    """Return Retry-After as seconds from now. It is a number or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    seconds = _number(value)
    if seconds is None:
        seconds = parse_duration(value)
    return _seconds_until(value) if seconds is None else seconds


def _number(value: str | None) -> float | None:
    try:
        seconds = float(value or "")
    except ValueError:
        return None
    return max(0.0, seconds) if isfinite(seconds) else None


def _seconds_until(date: str) -> float | None:
    try:
        return max(0.0, (parsedate_to_datetime(date) - now()).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _from_message(message: str) -> float | None:
    found = _TRY_AGAIN.search(message)
    return _sum(found[1]) if found else None


def _until_reset(headers: Mapping[str, str], message: str, kind: str) -> float | None:
    """Return the time until the limit that was reached is reset.

    Replies name the limits of requests and of tokens, of which only one may be used up.
    """
    resets = dict(_resets(headers))
    used_up = [
        seconds
        for name, seconds in resets.items()
        if headers.get(REMAINING + name) == "0" or kind == name or f"on {name} per" in message
    ]
    return max(used_up or resets.values(), default=None)


def _resets(headers: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    for name, value in headers.items():
        if name.startswith(RESET):
            seconds = parse_duration(value)
            seconds = _number(value) if seconds is None else seconds
            if seconds:
                yield name.removeprefix(RESET), seconds
