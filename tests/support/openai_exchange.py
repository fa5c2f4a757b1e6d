"""One request to the OpenAI stand-in and the means to answer it, down to the single byte."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.client import responses as phrases
from typing import Any, Protocol


@dataclass(frozen=True)
class ReceivedRequest:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: Any
    """The decoded JSON, or None."""
    api_key: str | None
    at: float
    """Seconds on `time.monotonic()`."""

    @property
    def model(self) -> str:
        return str(self.body.get("model")) if isinstance(self.body, dict) else ""

    @property
    def question(self) -> str:
        """The text of the newest message, of chat's `messages` or of the Responses API's `input`."""
        body = self.body if isinstance(self.body, dict) else {}
        asked = body.get("messages") or body.get("input") or ""
        content = asked[-1]["content"] if isinstance(asked, list) else asked
        return content if isinstance(content, str) else " ".join(part["text"] for part in content)


class ReleasedError(ConnectionError):
    """The test is over, or has reset the stand-in, while a behaviour was waiting."""


class ByteWriter(Protocol):
    """Where the bytes of an answer go."""

    def write(self, some: bytes, /) -> object: ...


class Exchange:
    """A request that waits for its answer."""

    def __init__(
        self, received: ReceivedRequest, wire: ByteWriter, released: threading.Event, models: list[str]
    ) -> None:
        self.received = received
        self.models = models
        self.keep_alive = True
        self._wire = wire
        self._released = released

    def pause(self, seconds: float | None) -> None:
        """Waits, None for ever. Raises ReleasedError when the stand-in is reset or closed meanwhile."""
        if self._released.wait(seconds):
            raise ReleasedError

    def write(self, some: bytes) -> None:
        self._wire.write(some)

    def close(self) -> None:
        """Has the connection closed as soon as the behaviour returns."""
        self.keep_alive = False

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.write(build_head(status, len(body), **headers) + body)

    def send_json(self, status: int, value: Any, **headers: str) -> None:
        self.send(status, encode_json(value), **headers)


Behaviour = Callable[[Exchange], None]


def encode_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def build_head(status: int, length: int, **headers: str) -> bytes:
    """A response's first lines; underscores in a header's name become hyphens."""
    fields = {"content_type": "application/json", "x_request_id": "req_stand_in"} | headers
    lines = [f"HTTP/1.1 {status} {phrases.get(status, 'Unknown')}", f"content-length: {length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode()
