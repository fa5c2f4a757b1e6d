"""Webhook calls as Glific sends them: each on a connection of its own, which the server closes after its reply."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import server

GLIFIC_TIMEOUT_SECONDS = 5.0
"""Glific closes the connection of a webhook after this time."""
REPLY_TIMEOUT_SECONDS = 30.0
CONNECT_SECONDS = 1.0
"""Time in which all connections are opened, before the calls are sent at the same moment."""


@dataclass(frozen=True)
class Caller:
    """A webhook, the token for it, and the mode of the calls."""

    url: str
    token: str = field(repr=False)
    mode: str = "sync"
    parameter: str = "mode"
    """Name of the query parameter with the mode, as it is encoded in the URL."""
    model: str = "gpt-4o-mini"

    def encode(self, contact: int) -> bytes:
        """Return the request of a call for this contact."""
        address = urlsplit(self.url)
        body = {"question_text": "What is ORS?", "gpt_model": self.model, "flow_id": "5", "contact": {"id": contact}}
        content = json.dumps(body).encode()
        head = (
            f"POST {address.path}?{self.parameter}={self.mode} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Authorization: Bearer {self.token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
        )
        return head.encode() + content


@dataclass(frozen=True)
class Reply:
    """The reply of one call."""

    ended_at: float
    """On `time.monotonic()`."""
    seconds: float
    """From the moment at which the connection is open and the call is sent."""
    outcome: str
    """The body's status or error code, or the name of a network error."""
    call_id: str = ""

    @property
    def is_late(self) -> bool:
        """Tell whether Glific has given up waiting before the reply."""
        return self.seconds > GLIFIC_TIMEOUT_SECONDS


async def send(caller: Caller, contact: int, start: asyncio.Event | None = None) -> Reply:
    """Open a connection, wait for the start if there is one, send a call, and return its reply."""
    address = urlsplit(caller.url)
    sent_at = time.monotonic()
    try:
        async with asyncio.timeout(None) as limit:
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            if start is not None:
                await start.wait()
            # After the connection is open: a busy machine repeats the packets that open it after 1, 3 and 7 seconds.
            sent_at = time.monotonic()
            limit.reschedule(asyncio.get_running_loop().time() + REPLY_TIMEOUT_SECONDS)
            writer.write(caller.encode(contact))
            response = await reader.read()
            writer.close()
        reply = json.loads(response.partition(b"\r\n\r\n")[2])
    except (OSError, ValueError) as failure:  # TimeoutError is an OSError
        return Reply(time.monotonic(), time.monotonic() - sent_at, type(failure).__name__)
    outcome = reply.get("error_code") or reply["status"]
    return Reply(time.monotonic(), time.monotonic() - sent_at, outcome, reply.get("call_id", ""))


async def send_together(callers: Sequence[Caller], calls: int, first_contact: int = 1) -> list[Reply]:
    """Send the calls, shared out over the callers, at the same moment. Return the replies."""
    start = asyncio.Event()
    sending = [
        asyncio.create_task(send(callers[number % len(callers)], first_contact + number, start))
        for number in range(calls)
    ]
    await asyncio.sleep(CONNECT_SECONDS)
    start.set()
    return await asyncio.gather(*sending)


def create_caller(environ: dict[str, str], folder: Path, slug: str, key: str) -> Caller:
    """Create an organization with this OpenAI key, with the code in `folder`."""
    created = server.run_flask(environ, "organizations", "create", slug, "--name", slug, "--json", folder=folder)
    credential = ("credentials", "set", slug, "open_ai", "--api-key-stdin", "--no-verify")
    server.run_flask(environ, *credential, stdin=key, folder=folder)
    return Caller(server.webhook_url(environ, slug), json.loads(created)["webhook_token"])
