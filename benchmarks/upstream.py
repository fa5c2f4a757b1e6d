"""An upstream that answers like the OpenAI API at once, or after WAIT_SECONDS; as fast as Python goes."""

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


async def app(_scope: Any, protocol: Any) -> None:
    """Granian's own interface, RSGI."""
    await protocol()
    if WAIT_SECONDS:
        await asyncio.sleep(WAIT_SECONDS)
    protocol.response_bytes(200, [("content-type", "application/json")], ANSWER)
