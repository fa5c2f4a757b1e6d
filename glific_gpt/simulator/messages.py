"""What comes to a node: what a person sends, and what Glific itself says in its place."""

from dataclasses import dataclass, field
from typing import Any, Literal

from glific_gpt.flows.keywords import as_kept

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
