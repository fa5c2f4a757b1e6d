"""Ways in which a run of a flow ends too early; each carries the sentence that is shown."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from textwrap import wrap
from typing import Literal


class EndsEarly(Exception):
    """The run is over, and the author should know why."""


class Aborted(EndsEarly):
    """Glific ends the contact's flows."""


class Hung(EndsEarly):
    """The conversation stays where it is, and nothing wakes it."""


@dataclass(frozen=True)
class Line:
    """One thing that happened; a `note` is what a person in WhatsApp does not see."""

    who: Literal["person", "flow", "note"]
    text: str


class TroubleCode(StrEnum):
    """What kind of trouble it is."""

    HANGS = "hangs"
    """Nothing that the person writes gets an answer any more, until a keyword starts a flow anew."""
    ABORTED = "aborted"
    """Glific ends the conversation."""
    LITERAL_VARIABLE = "literal_variable"
    """The person reads `@results.something`."""
    TOO_LONG = "too_long"
    """WhatsApp refuses the message."""
    EMPTY_MESSAGE = "empty_message"
    INVALID_CODE = "invalid_code"
    """Between `<%=` and `%>` is something that Glific cannot evaluate, or that is not simulated."""


@dataclass(frozen=True)
class Trouble:
    """Something that the flow's author should mend, in one sentence."""

    code: TroubleCode
    says: str


@dataclass(frozen=True)
class WebhookCall:
    """One call of a webhook node."""

    url: str
    status: int | None
    """None when no whole answer came."""
    seconds: float
    outcome: Literal["Success", "Failure"]
    """The category by which the conversation goes on."""
    error: str = ""
    """What Glific's Webhook Logs say of a failure."""


@dataclass
class Diary:
    """In the order in which it happened."""

    lines: list[Line] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    calls: list[WebhookCall] = field(default_factory=list)

    def person(self, text: str) -> None:
        self.lines.append(Line("person", text))

    def flow(self, text: str) -> None:
        self.lines.append(Line("flow", text))

    def note(self, text: str) -> None:
        self.lines.append(Line("note", text))

    def trouble(self, code: TroubleCode, says: str) -> None:
        """It is also a note."""
        self.troubles.append(Trouble(code, says))
        self.note(says)

    def called(self, call: WebhookCall) -> None:
        """It is also a note."""
        self.calls.append(call)
        answered = f"answered {call.status}" if call.status else "gave no answer"
        why = f" {call.error}" if call.error else ""
        self.note(f"The webhook {answered} after {call.seconds:.1f} s: {call.outcome}.{why}")


COLUMNS = 80
_HEADS = {"person": "Person: ", "flow": "Flow:   ", "note": ""}


def drawn(lines: Iterable[Line]) -> str:
    """One paragraph for each line; notes in brackets. Nothing in it can steer a terminal."""
    return "\n".join(_paragraph(line) for line in lines)


def _paragraph(line: Line) -> str:
    head = _HEADS[line.who]
    body = f"[{line.text}]" if line.who == "note" else line.text
    width = COLUMNS - len(head)
    rows = [row for part in _harmless(body).split("\n") for row in wrap(part, width) or [""]]
    return "\n".join(((head if at == 0 else " " * len(head)) + row).rstrip() for at, row in enumerate(rows))


def _harmless(text: str) -> str:
    return "".join(
        each for each in text.replace("\t", " ") if each == "\n" or unicodedata.category(each) not in ("Cc", "Cs")
    )
