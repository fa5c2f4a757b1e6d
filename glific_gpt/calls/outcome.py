"""The outcome of a call: what Glific is answered."""

from dataclasses import dataclass

from pydantic import JsonValue

from glific_gpt.errors import GlificGptError
from glific_gpt.glific.text import as_written
from glific_gpt.settings import FALLBACK_MESSAGE


@dataclass(frozen=True)
class Outcome:
    """An HTTP status and a JSON object."""

    status: int
    body: dict[str, JsonValue]
    retry_after: int | None = None
    """Seconds, for the header Retry-After."""
    replayed: bool = False
    """Whether it is the stored answer of an earlier call."""


def answered(call_id: str, model: str, parsed_msg: JsonValue) -> Outcome:
    return Outcome(200, {"success": True, "status": "ok", "parsed_msg": parsed_msg, "model": model, "call_id": call_id})


def pending(call_id: str) -> Outcome:
    """The answer comes later, to the flow that waits for it."""
    return Outcome(200, {"success": True, "status": "pending", "call_id": call_id})


def failed(call_id: str, error: GlificGptError, fallback: str) -> Outcome:
    """The fallback is what the WhatsApp user reads when the flow sends parsed_msg all the same."""
    body: dict[str, JsonValue] = {
        "success": False,
        "status": "error",
        "error_code": error.code,
        "error_class": error.fault,
        "error": str(error),
        "parsed_msg": as_written(fallback) or FALLBACK_MESSAGE,
        "call_id": call_id,
    }
    return Outcome(error.status, body, error.retry_after)
