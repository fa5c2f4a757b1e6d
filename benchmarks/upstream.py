"""An upstream in Python that answers like the OpenAI API, immediately or after WAIT_SECONDS."""

import asyncio
import json
import os
from typing import Any

WAIT_SECONDS = float(os.environ.get("WAIT_SECONDS", "0"))

IMMEDIATE_KEY = os.environ.get("IMMEDIATE_KEY", "")
"""API key for calls that are answered immediately, whatever WAIT_SECONDS is."""

ANSWER = json.dumps(
    {
        "id": "chatcmpl-benchmark",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-mini",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "An answer."}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13},
    }
).encode()


async def app(scope: Any, receive: Any, send: Any) -> None:
    """ASGI application."""
    while (await receive()).get("more_body"):
        pass
    if WAIT_SECONDS and not _is_immediate(scope["headers"]):
        await asyncio.sleep(WAIT_SECONDS)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


def _is_immediate(headers: list[tuple[bytes, bytes]]) -> bool:
    return bool(IMMEDIATE_KEY) and (b"authorization", f"Bearer {IMMEDIATE_KEY}".encode()) in headers
