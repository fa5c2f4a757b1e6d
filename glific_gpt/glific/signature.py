"""Create and verify Glific's webhook signature."""

import hashlib
import hmac
import re
from datetime import datetime, timedelta

TOLERANCE = timedelta(minutes=15)
"""Maximum difference between `t` and now. Glific sets `t` when it queues the webhook, not when it sends it."""

DUMMY_PHRASE = "This is a dummy secret"
"""Glific's public default phrase, for organizations without a phrase."""

# [0-9], because \d matches the digits of every script. Twelve digits reach past the year 30000.
_HEADER = re.compile(r"t=([0-9]{1,12}),v1=[0-9a-f]{64}")


def is_usable_phrase(phrase: str) -> bool:
    """Return whether the phrase is a secret: neither blank nor Glific's default."""
    return phrase.strip() not in {"", DUMMY_PHRASE}


def sign(phrase: str, raw_body: bytes, at: int) -> str:
    """Return the value of `X-Glific-Signature`: `t=<at>,v1=<lowercase hex>`; `at` is Unix time in seconds.

    v1 is HMAC-SHA256 of `<at>.<raw body>` under the phrase (glific/glific, `Glific.signature/3`).
    """
    signed = f"{at}.".encode() + raw_body
    digest = hmac.new(phrase.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


class SignatureCheck:
    """Checks signatures under one phrase. The phrase cannot be read from it."""

    def __init__(self, phrase: str) -> None:
        self._is_usable = is_usable_phrase(phrase)
        self._keyed = hmac.new(phrase.encode(), digestmod=hashlib.sha256)

    def is_valid(self, header: str, raw_body: bytes, now: datetime) -> bool:
        """Return whether the header signs exactly this body, within `TOLERANCE` of `now` (aware).

        Invalid headers return False; nothing is raised. Large bodies do not hold Python's lock.
        """
        parts = _HEADER.fullmatch(header)
        if parts is None or not self._is_usable or not is_current(header, now):
            return False
        at = int(parts[1])
        keyed = self._keyed.copy()
        keyed.update(f"{at}.".encode())
        keyed.update(raw_body)
        # Compare the whole header, so that another spelling of the time (`t=007`) is not a second valid form.
        return hmac.compare_digest(header.encode(), f"t={at},v1={keyed.hexdigest()}".encode())


def is_current(header: str, now: datetime) -> bool:
    """Return whether the header has the form of a signature, made within `TOLERANCE` of `now` (aware)."""
    parts = _HEADER.fullmatch(header)
    return parts is not None and abs(now.timestamp() - int(parts[1])) <= TOLERANCE.total_seconds()


def is_valid(header: str, phrase: str, raw_body: bytes, now: datetime) -> bool:
    """Return whether the header signs exactly this body under the phrase, within `TOLERANCE` of `now` (aware).

    Invalid headers return False; nothing is raised.
    """
    return SignatureCheck(phrase).is_valid(header, raw_body, now)
