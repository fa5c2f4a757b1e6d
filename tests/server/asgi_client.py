"""uvicorn's side of a request, for tests that call the bridge from ASGI to WSGI without a socket."""

import asyncio
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Client:
    """uvicorn's side of a request: it sends the body in parts and receives the response."""

    parts: list[bytes] = field(default_factory=list)
    pause: float = 0.0
    disconnects: bool = False
    """True if it disconnects before its whole body has arrived."""
    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def receive(self) -> dict[str, Any]:
        await asyncio.sleep(self.pause)
        part = self.parts.pop(0) if self.parts else b""
        if self.disconnects and not self.parts:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": bool(self.parts)}

    async def send(self, message: dict[str, Any]) -> None:
        self.status = message.get("status", self.status)
        self.headers = message.get("headers", self.headers)
        self.body += message.get("body", b"")


def make_scope(path: bytes, **changes: Any) -> dict[str, Any]:
    """Return the ASGI scope of a POST request."""
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path.decode(),
        "raw_path": path,
        "query_string": b"",
        "headers": [],
        "server": ("127.0.0.1", 8000),
        "client": ("::1", 5000),
    }
    return scope | changes
