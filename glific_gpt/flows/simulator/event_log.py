"""The events of a simulated conversation, its transcript, and the exceptions that stop a run of a flow."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from textwrap import wrap
from typing import Literal


class RunStopped(Exception):
    """The run of a flow stopped. The text of the exception tells the flow's author why."""


class FlowAborted(RunStopped):
    """Glific ends the contact's flows."""

    def __init__(self, says: str, code: "ProblemCode | None" = None) -> None:
        super().__init__(says)
        self.code = code or ProblemCode.ABORTED


class FlowStuck(RunStopped):
    """The conversation stays at its node, and no event continues it."""


@dataclass(frozen=True)
class TranscriptLine:
    """One line of the transcript; the WhatsApp user does not see a `note`."""

    who: Literal["person", "flow", "note"]
    text: str


class ProblemCode(StrEnum):
    """The kind of a problem."""

    STUCK = "hangs"
    """The contact gets no further answers until a keyword starts a flow."""
    ABORTED = "aborted"
    """Glific ends the conversation."""
    LITERAL_VARIABLE = "literal_variable"
    """The contact reads `@results.something`."""
    TOO_LONG = "too_long"
    """WhatsApp refuses the message."""
    EMPTY_MESSAGE = "empty_message"
    INVALID_CODE = "invalid_code"
    """The code between `<%=` and `%>` fails in Glific."""
    SUSPICIOUS_CODE = "suspicious_code"
    """Glific's check for suspicious code replaces a text."""
    INVALID_ADDRESS = "invalid_address"
    """A URL has a space or a letter outside ASCII, which Glific sends as it is and servers refuse."""


@dataclass(frozen=True)
class Problem:
    """A problem that the flow's author should fix."""

    code: ProblemCode
    says: str
    """One or two sentences."""


@dataclass(frozen=True)
class WebhookCall:
    """A finished call of a webhook node."""

    url: str
    status: int | None
    """None if no complete response came."""
    seconds: float
    outcome: Literal["Success", "Failure"]
    """The category with which the conversation continues."""
    error: str = ""
    """The error of a failure, as in Glific's Webhook Logs."""


@dataclass
class EventLog:
    """The events of a conversation in their order."""

    lines: list[TranscriptLine] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    calls: list[WebhookCall] = field(default_factory=list)

    def add_reply(self, text: str) -> None:
        self.lines.append(TranscriptLine("person", text))

    def add_message(self, text: str) -> None:
        self.lines.append(TranscriptLine("flow", text))

    def add_note(self, text: str) -> None:
        self.lines.append(TranscriptLine("note", text))

    def add_problem(self, code: ProblemCode, says: str) -> None:
        """Record a problem, and a note with its text."""
        self.problems.append(Problem(code, says))
        self.add_note(says)

    def add_call(self, call: WebhookCall) -> None:
        """Record a webhook call, and a note about it."""
        self.calls.append(call)
        response = f"answered {call.status}" if call.status else "gave no answer"
        error = f" {call.error}" if call.error else ""
        self.add_note(f"The webhook {response} after {call.seconds:.1f} s: {call.outcome}.{error}")


TERMINAL_COLUMNS = 80
_PREFIXES = {"person": "Person: ", "flow": "Flow:   ", "note": ""}


def format_transcript(lines: Iterable[TranscriptLine]) -> str:
    """Return one paragraph for each line, with notes in brackets and without terminal control characters."""
    return "\n".join(_format_line(line) for line in lines)


def _format_line(line: TranscriptLine) -> str:
    prefix = _PREFIXES[line.who]
    body = f"[{line.text}]" if line.who == "note" else line.text
    width = TERMINAL_COLUMNS - len(prefix)
    rows = [row for part in _without_control_characters(body).split("\n") for row in wrap(part, width) or [""]]
    return "\n".join(((prefix if index == 0 else " " * len(prefix)) + row).rstrip() for index, row in enumerate(rows))


def _without_control_characters(text: str) -> str:
    return "".join(
        character
        for character in text.replace("\t", " ")
        if character == "\n" or unicodedata.category(character) not in ("Cc", "Cs")
    )
