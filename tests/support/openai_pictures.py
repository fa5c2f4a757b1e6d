"""Pictures in requests to the OpenAI stand-in: the form that OpenAI requires, and its refusals of other forms.

Sources: https://developers.openai.com/api/docs/guides/images-vision, and replies quoted in public bug reports.
"""

import re
from typing import Any

from tests.support.openai_errors import refuse_request
from tests.support.openai_exchange import Behaviour, ReceivedRequest

_TEXT_TYPES = {"/v1/chat/completions": "text", "/v1/responses": "input_text"}
_PICTURE_TYPES = {"/v1/chat/completions": "image_url", "/v1/responses": "input_image"}
_ADDRESS = re.compile(r"https?://[^\s]+|data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+={0,2}")
_DETAILS = {None, "auto", "low", "high", "original"}
_TEXT_ALONE = re.compile(r"gpt-3|gpt-4(-0613)?$|o3-mini")


def content_parts(received: ReceivedRequest) -> list[dict[str, Any]]:
    """Return the parts of all messages that are not plain text."""
    body = received.body if isinstance(received.body, dict) else {}
    messages = body.get("messages") or body.get("input") or []
    contents = [message.get("content") for message in messages if isinstance(message, dict)]
    return [part for content in contents if isinstance(content, list) for part in content]


def find_pictures(received: ReceivedRequest) -> list[str]:
    """Return the addresses of the pictures in a request, or their data URLs."""
    kind = _PICTURE_TYPES.get(received.path)
    found: list[Any] = [part.get("image_url") for part in content_parts(received) if part.get("type") == kind]
    return [each["url"] if isinstance(each, dict) else each for each in found]


def find_refusal(received: ReceivedRequest) -> Behaviour | None:
    """Return OpenAI's refusal of a request whose parts have a wrong form; None for a good one."""
    for part in content_parts(received):
        if refusal := _refuse_part(received, part):
            return refusal
    return None


def _refuse_part(received: ReceivedRequest, part: dict[str, Any]) -> Behaviour | None:
    kind = part.get("type")
    if kind == _TEXT_TYPES[received.path]:
        return None if isinstance(part.get("text"), str) else refuse_request("Missing required parameter: 'text'.")
    if kind != _PICTURE_TYPES[received.path]:
        return refuse_request(f"Invalid value: '{kind}'. Supported values are: 'text', 'image_url' and others.")
    if _TEXT_ALONE.match(received.model):
        message = f"Invalid content type. {kind} is only supported by certain models."
        return refuse_request(message, param="messages.[0].content.[1].type")
    picture = part.get("image_url")
    # Chat Completions has the address in an object, the Responses API beside the type.
    inner = picture if received.path.endswith("/completions") else {"url": picture, "detail": part.get("detail")}
    if not isinstance(inner, dict) or not isinstance(inner.get("url"), str) or inner.get("detail") not in _DETAILS:
        return refuse_request("Invalid type for 'image_url'.", "invalid_type", param="messages[0].content[1].image_url")
    if not _ADDRESS.fullmatch(inner["url"]):
        return refuse_request(f"Invalid image URL: {inner['url']}", "invalid_value", param="url")
    return None
