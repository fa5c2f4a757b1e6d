"""Regular expressions of flows, in linear time. Their authors are unknown, and the simulation runs on the server.

Python's own engine needs years for some of them, and no other thread of the process runs meanwhile.
"""

import re2

from glific_gpt.flows.simulator.event_log import FlowStuck

MAX_PATTERN_CHARACTERS = 1000
MAX_BODY_CHARACTERS = 4096
"""The longest message of WhatsApp. The rest of a longer text is not searched."""

_UNSUPPORTED = (
    "invalid perl operator",
    "invalid escape sequence",
    "bad repetition operator",
    "invalid repetition size",
    "pattern too large",
)
"""Errors of RE2 for what Elixir has: look-around, back-references, possessive and large repetitions."""


def matches_pattern(body: str, pattern: str) -> bool:
    """Return whether the pattern occurs in the body. Raises FlowStuck for a pattern that cannot be tested."""
    if len(pattern) > MAX_PATTERN_CHARACTERS:
        raise FlowStuck("A regular expression of this flow is too long to be tested. The simulation stops here.")
    options = re2.Options()
    options.log_errors = False  # it would write patterns to standard error
    try:
        return re2.compile(pattern, options).search(body[:MAX_BODY_CHARACTERS]) is not None
    except (re2.error, UnicodeEncodeError) as error:
        raise FlowStuck(_describe(pattern, str(error))) from None
    finally:
        re2.purge()  # a compiled pattern can take megabytes


def _describe(pattern: str, error: str) -> str:
    if any(words in error for words in _UNSUPPORTED):
        return (
            f"The simulation cannot test the regular expression {pattern}: it has look-around, a back-reference or a "
            "large repetition. Test this flow in Glific."
        )
    return f"{pattern} is not a regular expression. The conversation would hang here."
