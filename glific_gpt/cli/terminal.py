"""What a terminal can show: its own characters, and nothing that steers it."""

import re
import sys

# What a model or somebody else wrote must not move the cursor; line breaks stay.
_STEERING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]+")


def printable(text: str) -> str:
    """The text without control characters, with a question mark for what this terminal does not know."""
    encoding = sys.stdout.encoding or "ascii"
    return _STEERING.sub(" ", text).encode(encoding, "replace").decode(encoding)


def can_show(text: str) -> bool:
    """Whether all of it is left by `printable`."""
    return printable(text) == text
