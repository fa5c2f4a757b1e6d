"""An upstream in Python that answers like the OpenAI API, immediately or after WAIT_SECONDS."""

import asyncio
import json
import os
from typing import Any

WAIT_SECONDS = float(os.environ.get("WAIT_SECONDS", "0"))

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


async def app(_scope: Any, receive: Any, send: Any) -> None:
    """ASGI application."""
    while (await receive()).get("more_body"):
        pass
    if WAIT_SECONDS:
        await asyncio.sleep(WAIT_SECONDS)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})
