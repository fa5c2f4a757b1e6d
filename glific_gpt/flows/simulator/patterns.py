"""Regular expressions of flows, in linear time. Their authors are unknown, and the simulation runs on the server.

Python's own engine needs years for some of them, and no other thread of the process runs meanwhile.
Glific's engine (PCRE) reads the bytes of UTF-8 as Latin-1, so that `.` is a byte and not a letter of Hindi.
"""

import re
from typing import Any

import re2

from glific_gpt.flows.simulator.event_log import FlowStuck

MAX_PATTERN_CHARACTERS = 1000
MAX_BODY_CHARACTERS = 4096
"""The longest message of WhatsApp. The rest of a longer text is not searched."""

# Errors of RE2 for patterns that PCRE refuses too.
_INVALID = (
    b"missing )",
    b"missing ]",
    b"unexpected )",
    b"trailing \\",
    b"invalid character class range",
    b"no argument for repetition operator",
)
_POSSESSIVE = re.compile(rb"bad repetition operator: [*+?]\+$")
_REPETITION = re.compile(rb"invalid repetition size: \{([0-9]+),([0-9]+)\}")
# Classes that hold other bytes in Latin-1 than in RE2, which knows ASCII only.
_LATIN_1_CLASSES = re.compile(r"\\[wWbBsS]|\[\[:|\(\?[a-z]*i")


def matches_pattern(body: str, pattern: str) -> bool:
    """Return whether the pattern occurs in the body; False for an invalid pattern, as in Glific.

    Raises FlowStuck for a pattern that cannot be tested.
    """
    if len(pattern) > MAX_PATTERN_CHARACTERS:
        raise FlowStuck("A regular expression of this flow is too long to be tested. The simulation stops here.")
    try:
        return _compile(pattern).search(_encode(body[:MAX_BODY_CHARACTERS])) is not None
    except re2.error as error:
        if _is_invalid(pattern, error.args[0]):
            return False
        raise FlowStuck(
            f"The simulation cannot test the regular expression {pattern}: it has look-around, a back-reference or a "
            "large repetition. Test this flow in Glific."
        ) from None
    finally:
        re2.purge()  # a compiled pattern can take megabytes


def describe_doubt(body: str, pattern: str) -> str:
    """Return a note about a pattern that never matches, or about a result that may be different in Glific; else ""."""
    if not body.isascii() and _LATIN_1_CLASSES.search(pattern):
        return f"The simulation is not sure about the regular expression {pattern} with letters outside ASCII."
    try:
        _compile(pattern[:MAX_PATTERN_CHARACTERS])
    except re2.error as error:
        if _is_invalid(pattern, error.args[0]):
            return f"{pattern} is not a regular expression, so it matches nothing. Glific notifies the staff."
    finally:
        re2.purge()
    return ""


def _compile(pattern: str) -> Any:
    """Raises re2.error, whose first argument describes the error as bytes."""
    options = re2.Options()
    options.log_errors = False  # it would write patterns to standard error
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(_encode(pattern), options)


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _is_invalid(pattern: str, error: bytes) -> bool:
    """Return whether Glific's engine refuses the pattern too."""
    if repetition := _REPETITION.search(error):
        return int(repetition[1]) > int(repetition[2])
    if b"bad repetition operator" in error:
        return not _POSSESSIVE.search(error)
    return error.startswith(_INVALID) and "(*" not in pattern
