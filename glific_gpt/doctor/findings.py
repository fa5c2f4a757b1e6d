"""What a check found: how it stands, what is wrong, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from glific_gpt.flows.simulator import Line


class Verdict(StrEnum):
    """How it stands."""

    OK = "ok"
    WARNING = "warning"
    """Answers come, or may come; something is not as it should be."""
    PROBLEM = "problem"
    """An NGO would get no answer, or none that comes later."""
    SKIPPED = "skipped"
    """It was not looked at; the finding says why."""


@dataclass(frozen=True)
class Finding:
    """What one check found. Texts are templates that translators know, such as "It took %(seconds)s seconds."."""

    check: str
    """The check's name, a key of TITLES."""
    verdict: Verdict
    says: str
    """One sentence or two."""
    remedy: str = ""
    """What to do, in words that fit the console and a terminal; empty where nothing is to be done."""
    values: Mapping[str, object] = field(default_factory=dict)
    """What both templates are filled with."""
    command: str = ""
    """The command that does what the remedy says, where one does; for a terminal."""
    only_inside: bool = False
    """Whether Glific gets nowhere near what was looked at, unless it runs in the server's own network."""
    only_later: bool = False
    """Of a problem: whether it keeps away only the answers that come later (async, auto)."""
    error_code: str = ""
    """Of the error that `says` tells, as the webhook and the documentation name it."""
    conversation: str = ""
    """Of the real call: how it went, as the WhatsApp user sees it."""
    lines: tuple[Line, ...] = ()
    """The same, for whoever draws it otherwise."""

    @property
    def sentence(self) -> str:
        """`says` in English, filled in."""
        return filled_in(self.says, self.values)

    @property
    def advice(self) -> str:
        """`remedy` in English, filled in."""
        return filled_in(self.remedy, self.values)


def filled_in(template: str, values: Mapping[str, object]) -> str:
    """A template without values is text, in which a percent sign is one."""
    return template % values if values else template
