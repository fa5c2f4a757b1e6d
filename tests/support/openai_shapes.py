"""Normal bodies of the OpenAI API for each of its endpoints, not streamed.

Source: https://platform.openai.com/docs/api-reference (chat, responses, models).
"""

import time
import uuid
from dataclasses import dataclass
from typing import Any

from tests.support.openai_exchange import Exchange, ReceivedRequest

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


@dataclass(frozen=True)
class ModelOutput:
    """The output of a model, for any endpoint."""

    text: str | None
    refusal: str | None = None
    finish_reason: str = "stop"
    input_tokens: int = 11
    output_tokens: int = 7
    usage: bool = True
    """True if the body has the number of tokens."""


def build_body(exchange: Exchange, output: ModelOutput) -> dict[str, Any]:
    """Return the body in the shape of the called endpoint."""
    path = exchange.received.path
    if path.endswith("/models"):
        return models(exchange.models)
    return responses(exchange.received, output) if path.endswith("/responses") else chat(exchange.received, output)


def models(names: list[str]) -> dict[str, Any]:
    data = [{"id": name, "object": "model", "created": 1715367049, "owned_by": "system"} for name in names]
    return {"object": "list", "data": data}


def chat(received: ReceivedRequest, output: ModelOutput) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": "assistant",
        "content": output.text,
        "refusal": output.refusal,
        "annotations": [],
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": output.finish_reason}
    usage = {
        "prompt_tokens": output.input_tokens,
        "completion_tokens": output.output_tokens,
        "total_tokens": output.input_tokens + output.output_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": received.model,
        "choices": [choice],
        "service_tier": "default",
        "system_fingerprint": "fp_stand_in",
    } | ({"usage": usage} if output.usage else {})


def responses(received: ReceivedRequest, output: ModelOutput) -> dict[str, Any]:
    reason = _INCOMPLETE.get(output.finish_reason)
    status = "incomplete" if reason else "completed"
    usage = {
        "input_tokens": output.input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": output.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": output.input_tokens + output.output_tokens,
    }
    return {
        "id": f"resp_{uuid.uuid4().hex}",
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "model": received.model,
        "output": [_reasoning_item(), *_message_items(output, status)],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    } | ({"usage": usage} if output.usage else {})


def _reasoning_item() -> dict[str, Any]:
    # Reasoning models send such an item first. Code that takes output[0] as the answer must fail here too.
    return {"id": f"rs_{uuid.uuid4().hex}", "type": "reasoning", "summary": []}


def _message_items(output: ModelOutput, status: str) -> list[dict[str, Any]]:
    """Return the message items of the output: none without a text and a refusal."""
    content: list[dict[str, Any]] = []
    if output.refusal is not None:
        content.append({"type": "refusal", "refusal": output.refusal})
    if output.text is not None:
        content.append({"type": "output_text", "text": output.text, "annotations": [], "logprobs": []})
    message = {"id": f"msg_{uuid.uuid4().hex}", "type": "message", "role": "assistant", "status": status}
    return [message | {"content": content}] if content else []
