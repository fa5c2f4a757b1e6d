"""One request to the OpenAI stand-in, with methods to answer it down to single bytes."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.client import responses as phrases
from typing import Any, Protocol


@dataclass(frozen=True)
class ReceivedRequest:
    """A received request."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: Any
    """The decoded JSON, or None."""
    api_key: str | None
    at: float
    """Seconds on `time.monotonic()`."""
    raw: bytes = b""
    """The whole body."""
    query: str = ""

    @property
    def model(self) -> str:
        return str(self.body.get("model")) if isinstance(self.body, dict) else ""

    @property
    def question(self) -> str:
        """Text of the newest message, from `messages` of chat or from `input` of the Responses API."""
        body = self.body if isinstance(self.body, dict) else {}
        messages = body.get("messages") or body.get("input") or ""
        content = messages[-1]["content"] if isinstance(messages, list) else messages
        return content if isinstance(content, str) else " ".join(part["text"] for part in content if "text" in part)


class ReleasedError(ConnectionError):
    """The stand-in was reset or closed while a behaviour was waiting."""


class ByteWriter(Protocol):
    """A writer for the bytes of a response."""

    def write(self, some: bytes, /) -> object: ...


class Exchange:
    """A request that waits for its response."""

    def __init__(
        self, received: ReceivedRequest, wire: ByteWriter, released: threading.Event, models: list[str]
    ) -> None:
        self.received = received
        self.models = models
        self.keep_alive = True
        self._wire = wire
        self._released = released

    def pause(self, seconds: float | None) -> None:
        """Wait for this time, or for ever with None. Raises ReleasedError if the stand-in is reset or closed."""
        if self._released.wait(seconds):
            raise ReleasedError

    def write(self, some: bytes) -> None:
        self._wire.write(some)

    def close(self) -> None:
        """Close the connection as soon as the behaviour returns."""
        self.keep_alive = False

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.write(build_head(status, len(body), **headers) + body)

    def send_json(self, status: int, value: Any, **headers: str) -> None:
        self.send(status, encode_json(value), **headers)


Behaviour = Callable[[Exchange], None]


def encode_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def build_head(status: int, length: int, **headers: str) -> bytes:
    """Return the head of a response. Underscores in header names become hyphens."""
    fields = {"content_type": "application/json", "x_request_id": "req_stand_in"} | headers
    lines = [f"HTTP/1.1 {status} {phrases.get(status, 'Unknown')}", f"content-length: {length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode()
