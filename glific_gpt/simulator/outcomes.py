"""What may come of a node: the conversation leaves it, stays there, or goes into another flow."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from pydantic import SecretStr

Wait = Literal["reply", "result", "time", "webhook", "flow", "nothing"]
"""What a conversation stays at a node for; `nothing` when it hangs."""


@dataclass(frozen=True)
class Leave:
    """By the exit of that uuid."""

    exit_uuid: str


@dataclass(frozen=True)
class Stay:
    """Until what it waits for comes, or so many seconds are over."""

    waits: Wait
    seconds: float | None = None


@dataclass(frozen=True)
class Enter:
    """Another flow, by its uuid."""

    flow_uuid: str


@dataclass(frozen=True)
class Call:
    """A webhook's request, signed and ready to be sent."""

    method: Literal["GET", "POST"]
    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    result_name: str | None
    signature: SecretStr


Outcome: TypeAlias = Leave | Stay | Enter | Call
