"""What comes to a node: what a person sends, and what Glific itself says in its place."""

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from pydantic import SecretStr

from glific_gpt.flows.structure import as_kept

Kind = Literal["text", "image", "audio", "video", "document", "location"]

NO_RESPONSE, SUCCESS, FAILURE, COMPLETED = "No Response", "Success", "Failure", "completed"

# glific/glific: Flows.Router takes the category of that very name, and looks at no case.
RESERVED = frozenset({NO_RESPONSE, "Exit Loop", SUCCESS, FAILURE})
# glific/glific: Flows.Node.execute_node_router takes these for the end of the node's own action.
DONE = frozenset({COMPLETED, "expired", "success", "failure"})


@dataclass(frozen=True)
class Message:
    """A message in a flow."""

    body: str
    kind: Kind = "text"
    extra: dict[str, Any] = field(default_factory=dict)
    """Of a picture or a place: what a router keeps of it besides."""

    @property
    def is_text(self) -> bool:
        return self.kind == "text"

    @property
    def clean_body(self) -> str:
        return as_kept(self.body)

    @property
    def is_reserved(self) -> bool:
        return self.is_text and self.body in RESERVED


def written(text: str) -> Message:
    """What a person types. A lone surrogate or NUL cannot come over WhatsApp."""
    return Message(text.replace("\0", "").encode("utf-8", "replace").decode().strip())


def media(kind: Kind, url: str, caption: str) -> Message:
    kept = {"id": 1, "source_url": url, "url": url, "caption": caption, "category": "media", "input": url}
    return Message(caption, kind, kept)


def place(latitude: float, longitude: float) -> Message:
    kept = {"id": 1, "longitude": longitude, "latitude": latitude, "category": "location"}
    return Message("", "location", kept)


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
