"""The shell commands of the handbook, docs/operations.md, in their order."""

import re
import textwrap
from dataclasses import dataclass

from tests.support.programs import ROOT

HANDBOOK = ROOT / "docs" / "operations.md"

_PART = re.compile(
    r"^## (?P<section>[^\n]*)$"
    r"|^(?P<indent> *)(?:<!-- not run: (?P<mark>\w+) -->\n *)?```sh\n(?P<code>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
"""A heading, or commands. Readers do not see the comment before commands that a test cannot run as they are."""


@dataclass(frozen=True)
class Commands:
    """Commands that stand together."""

    section: str
    code: str
    mark: str
    """Why they cannot run in a test, or ""."""


def read_commands(text: str | None = None) -> list[Commands]:
    """Return the commands of the handbook, without their indentation."""
    found, section = [], ""
    for part in _PART.finditer(HANDBOOK.read_text() if text is None else text):
        if part["section"]:
            section = part["section"]
        else:
            found.append(Commands(section, textwrap.dedent(part["code"]), part["mark"] or ""))
    return found
