"""The outcome of a call: what Glific is answered."""

import json
from dataclasses import dataclass

import structlog
from pydantic import JsonValue

from glific_gpt.calls.context import CallContext
from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import Deadline
from glific_gpt.errors import EmptyAnswer, GlificGptError, UpstreamError
from glific_gpt.functions.contract import Function, FunctionBody
from glific_gpt.glific import text
from glific_gpt.glific.text import as_written
from glific_gpt.glific.variables import neutralise_json
from glific_gpt.openai.chat import LanguageModel
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


def success_outcome(call_id: str, model: str, parsed_msg: JsonValue) -> Outcome:
    return Outcome(200, {"success": True, "status": "ok", "parsed_msg": parsed_msg, "model": model, "call_id": call_id})


def pending_outcome(call_id: str) -> Outcome:
    """The answer comes later, to the flow that waits for it."""
    return Outcome(200, {"success": True, "status": "pending", "call_id": call_id})


def error_outcome(call_id: str, error: GlificGptError, fallback: str) -> Outcome:
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


log = structlog.get_logger()

EMPTY: tuple[JsonValue, ...] = (None, "", {}, [])
"""In the place of these Glific would send the name of the variable."""

Result = JsonValue | GlificGptError
"""What a function gave, ready for WhatsApp, or why there is nothing."""


def execute(
    function: "Function[FunctionBody]", body: FunctionBody, model: LanguageModel, deadline: Deadline, facts: CallContext
) -> Result:
    """Never raises; the tokens used are in the facts."""
    facts.usage = model.usage
    try:
        return _for_whatsapp(function.handle(body, model, deadline), body.max_characters or text.MESSAGE_LIMIT)
    except GlificGptError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a plugin can fail in any way, and its message can hold anything
        log.error("function_failed", call_id=facts.call_id, reason=type(error).__name__)
        return UpstreamError("The server could not carry out this function: tell its administrators.")


def outcome_of(tenant: Tenant, facts: CallContext, result: Result) -> Outcome:
    if isinstance(result, GlificGptError):
        return error_outcome(facts.call_id, result, tenant.fallback_message or FALLBACK_MESSAGE)
    return success_outcome(facts.call_id, facts.usage.model or facts.model_asked or "", result)


def _for_whatsapp(value: JsonValue, limit: int) -> JsonValue:
    """Raises EmptyAnswer when nothing is left that a person could see, TypeError for what JSON does not know."""
    if value in EMPTY:
        raise EmptyAnswer
    if not isinstance(value, str):
        json.dumps(value, allow_nan=False)
        return neutralise_json(value)
    message = text.for_whatsapp(value, limit)
    if not message:
        raise EmptyAnswer
    return message
