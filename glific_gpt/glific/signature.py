"""Glific's webhook signature: made and checked."""

import hashlib
import hmac
import re
from datetime import datetime, timedelta

TOLERANCE = timedelta(minutes=15)
"""How far `t` may lie from now: it is the moment of queueing, not of sending."""

DUMMY_PHRASE = "This is a dummy secret"
"""What Glific signs with when an organization set no phrase; everyone knows it."""

# [0-9], as \d takes the digits of every script. Twelve of them reach past the year 30000.
_HEADER = re.compile(r"t=([0-9]{1,12}),v1=[0-9a-f]{64}")


def is_usable_phrase(phrase: str) -> bool:
    """Whether the phrase is a secret at all: neither blank nor Glific's default."""
    return phrase.strip() not in {"", DUMMY_PHRASE}


def sign(phrase: str, raw_body: bytes, at: int) -> str:
    """The value of `X-Glific-Signature`: `t=<at>,v1=<lowercase hex>`; `at` in Unix seconds.

    v1 is HMAC-SHA256 of `<at>.<raw body>` under the phrase (glific/glific, `Glific.signature/3`).
    """
    signed = f"{at}.".encode() + raw_body
    digest = hmac.new(phrase.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def is_valid(header: str, phrase: str, raw_body: bytes, now: datetime) -> bool:
    """Whether the header signs these very bytes under the phrase, within `TOLERANCE` of `now` (aware).

    Any header text is answered, never raised at.
    """
    parts = _HEADER.fullmatch(header)
    if parts is None or not is_usable_phrase(phrase):
        return False
    at = int(parts[1])
    if abs(now.timestamp() - at) > TOLERANCE.total_seconds():
        return False
    # The whole header is compared, so that a time written otherwise (`t=007`) is no second valid form.
    return hmac.compare_digest(header.encode(), sign(phrase, raw_body, at).encode())
