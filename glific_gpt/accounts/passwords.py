"""Passwords: long enough, and nothing else is asked of them."""

import secrets
import unicodedata

from glific_gpt.errors import InvalidValue

SHORTEST = 12
LONGEST = 128

# Without those that look like another; 20 of them are 99 bits.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def checked(password: str) -> str:
    """As it is hashed. Raises InvalidValue."""
    normal = unicodedata.normalize("NFKD", password)
    if not SHORTEST <= len(normal) <= LONGEST:
        raise InvalidValue(f"A password has {SHORTEST} to {LONGEST} characters.")
    return normal


def made_up() -> str:
    """Easy to type: five groups of four."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(5))
