"""The input of a node, a message, and its outcomes: follow an exit, wait, enter a flow, or call a webhook."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from pydantic import SecretStr

MessageKind = Literal["text", "image", "audio", "video", "document", "location"]

NO_RESPONSE, SUCCESS, FAILURE, COMPLETED = "No Response", "Success", "Failure", "completed"
EXIT_LOOP = "Exit Loop"
"""Glific continues a flow with this message if a node has sent the same text too often."""

# glific/glific: Flows.Router takes the category of this name, and tests no case.
RESERVED_TEXTS = frozenset({NO_RESPONSE, EXIT_LOOP, SUCCESS, FAILURE})


@dataclass(frozen=True)
class Message:
    """A message in a flow: sent by the contact, or inserted by Glific as the result of an action."""

    body: str
    kind: MessageKind = "text"
    stored_values: dict[str, Any] = field(default_factory=dict)
    """The values that a router stores of media or a location."""

    @property
    def is_text(self) -> bool:
        return self.kind == "text"

    @property
    def is_exit_loop(self) -> bool:
        return self.is_text and self.body == EXIT_LOOP

    @property
    def is_reserved(self) -> bool:
        return self.is_text and self.body in RESERVED_TEXTS


def text_message(text: str) -> Message:
    """Return a typed message, without the lone surrogates and NULs that WhatsApp cannot transmit."""
    return Message(text.replace("\0", "").encode("utf-8", "replace").decode().strip())


def media_message(kind: MessageKind, url: str, caption: str) -> Message:
    values = {"id": 1, "source_url": url, "url": url, "caption": caption, "category": "media", "input": url}
    return Message(caption, kind, values)


def location_message(latitude: float, longitude: float) -> Message:
    values = {"id": 1, "longitude": longitude, "latitude": latitude, "category": "location"}
    return Message("", "location", values)


WaitKind = Literal["reply", "result", "time", "webhook", "flow", "nothing"]
"""The event that a conversation waits for at a node; `nothing` if it is stuck."""


@dataclass(frozen=True)
class FollowExit:
    """Continue with the node behind the exit of this uuid."""

    exit_uuid: str
    message: Message | None = None
    """A message that the next node receives: `Exit Loop`."""


@dataclass(frozen=True)
class Wait:
    """Wait at the node for the event, at most for these seconds."""

    kind: WaitKind
    seconds: float | None = None


@dataclass(frozen=True)
class EnterFlow:
    """Start another flow, given by its uuid, inside this one."""

    flow_uuid: str


@dataclass(frozen=True)
class WebhookRequest:
    """A signed request of a webhook node."""

    method: Literal["GET", "POST"]
    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    result_name: str | None
    signature: SecretStr
    """The value of `X-Glific-Signature`."""


@dataclass(frozen=True)
class WebhookResponse:
    """The response to a webhook request, or the reason why there is none."""

    seconds: float
    status: int | None = None
    """None if no complete response came."""
    body: bytes = field(default=b"", repr=False)
    error: str = ""
    """The reason why no complete response came."""


SendWebhook: TypeAlias = Callable[[WebhookRequest], WebhookResponse]
"""Sends a webhook request and returns the response. Must not raise: a failed call is a response with an error."""

Outcome: TypeAlias = FollowExit | Wait | EnterFlow | WebhookRequest
