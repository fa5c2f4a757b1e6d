"""The result of a check: status, message and remedy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from glific_gpt.errors import N_
from glific_gpt.flows.simulator import TranscriptLine


class CheckStatus(StrEnum):
    """The status of a check."""

    OK = "ok"
    WARNING = "warning"
    """Flows get answers, or may get them, but there is a problem."""
    PROBLEM = "problem"
    """Flows get no answers, or no later answers."""
    SKIPPED = "skipped"
    """The check did not run; its message gives the reason."""


REMEDY_KEYS = N_("Tell the administrators of this server. Nothing is wrong in the organization's settings.")
"""Remedy for a stored secret that the server cannot read."""


@dataclass(frozen=True)
class CheckResult:
    """The result of one check. Texts are translatable templates, such as "It took %(seconds)s seconds."."""

    check: str
    """The name of the check, a key of TITLES."""
    status: CheckStatus
    message: str
    """One or two sentences."""
    remedy: str = ""
    """How to fix it, for the console and for a terminal; empty if nothing needs to be fixed."""
    values: Mapping[str, object] = field(default_factory=dict)
    """The values of the placeholders in both templates."""
    command: str = ""
    """The shell command of the remedy, if there is one."""
    is_private_only: bool = False
    """True if the server can only be reached from its own network."""
    is_deferred_only: bool = False
    """True if the problem only prevents later answers (async, auto)."""
    detail: str = ""
    """The cause of a failure, or how OpenAI is reached, for administrators. Not translated."""
    error_code: str = ""
    """The code of the error in `message`, as in the webhook's replies and the documentation."""
    transcript: str = ""
    """The conversation of the test call, as the WhatsApp user sees it."""
    lines: tuple[TranscriptLine, ...] = ()
    """The same conversation line by line."""

    @property
    def message_text(self) -> str:
        """The message in English."""
        return _fill(self.message, self.values)

    @property
    def remedy_text(self) -> str:
        """The remedy in English."""
        return _fill(self.remedy, self.values)


def _fill(template: str, values: Mapping[str, object]) -> str:
    # Without values the template is a finished text, which may contain a percent sign.
    return template % values if values else template
