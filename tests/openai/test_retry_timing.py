"""How long OpenAI asks to wait: headers, messages, and the times at which limits are reset."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glific_gpt.openai.retry_timing import parse_duration, seconds_to_wait


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7m12s", 432),
        ("1h2m3.5s", 3723.5),
        ("6ms", 0.006),
        ("0s", 0),
        ("1d", 86_400),
        ("17ms", 0.017),
        ("1.2s", 1.2),
        ("250µs", 0.00025),
        (" 2 minutes ", 120),
        ("1 hour, 30 minutes", 5400),
        ("20", None),
        ("", None),
        ("s", None),
        ("7m12", None),
        ("7 moons", None),
        ("1m" * 50, None),
    ],
)
def test_a_duration_is_read_like_openai_writes_it(text: str, seconds: float | None) -> None:
    assert parse_duration(text) == (None if seconds is None else pytest.approx(seconds))


@given(st.text())
def test_any_text_is_a_duration_or_none(text: str) -> None:
    for value in (parse_duration(text), seconds_to_wait({"retry-after": text, "retry-after-ms": text}, text, text)):
        assert value is None or value >= 0


RESETS = {"x-ratelimit-reset-requests": "1h", "x-ratelimit-reset-tokens": "6s"}


@pytest.mark.parametrize(
    ("headers", "message", "kind", "seconds"),
    [
        ({"retry-after-ms": "1500", "retry-after": "9"}, "please try again in 20s.", "", 1.5),
        ({"retry-after": "9"} | RESETS, "please try again in 20s.", "", 9),
        ({"retry-after": "20s"}, "", "", 20),
        (RESETS, "please try again in 7m12s. visit", "requests", 432),
        (RESETS, "", "requests", 3600),
        (RESETS, "", "tokens", 6),
        (RESETS, "rate limit reached on tokens per min (tpm): limit 1", "", 6),
        (RESETS | {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-remaining-requests": "9"}, "", "", 6),
        (RESETS | {"x-ratelimit-remaining-requests": "0"}, "", "", 3600),
        (RESETS, "", "", 3600),
        ({"x-ratelimit-reset-tokens": "0"}, "", "tokens", None),
        ({"x-ratelimit-reset-tokens": "-1"}, "", "tokens", None),
        ({"x-ratelimit-reset-tokens": "12"}, "", "tokens", 12),
        ({"x-ratelimit-reset-tokens": "soon"}, "", "tokens", None),
        ({}, "please retry after 33 seconds.", "", 33),
        ({}, "try again in a moment", "", None),
        ({}, "", "", None),
    ],
)
def test_the_most_precise_hint_counts(headers: dict[str, str], message: str, kind: str, seconds: float | None) -> None:
    assert seconds_to_wait(headers, message, kind) == seconds
