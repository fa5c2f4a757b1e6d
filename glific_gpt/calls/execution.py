"""Execute a function with its model, and turn its result into the answer for Glific."""

import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

import structlog
from pydantic import JsonValue

from glific_gpt.calls.context import CallContext
from glific_gpt.calls.memory import text_to_remember
from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import Deadline
from glific_gpt.errors import EmptyAnswer, GlificGptError, UpstreamError
from glific_gpt.functions.contract import Function, FunctionAnswer, FunctionBody
from glific_gpt.glific.markdown import is_long_work
from glific_gpt.glific.text import (
    EMPTY_VALUE,
    MAX_MESSAGE_CHARACTERS,
    end_after_sentence,
    format_for_whatsapp,
    format_json_for_whatsapp,
    is_long_json_work,
    sanitize_json,
    sanitize_message,
)
from glific_gpt.openai import large_reply_slots
from glific_gpt.openai.chat import LanguageModel
from glific_gpt.openai.other_servers import name_server
from glific_gpt.runtime import cpu_bound
from glific_gpt.settings import FALLBACK_MESSAGE

EMPTY: tuple[JsonValue, ...] = (None, "", {}, [])
"""Values that do not count as an answer: Glific would show the name of the variable instead of them."""

Result = FunctionAnswer | GlificGptError
"""The formatted answer of a function, or the reason why there is none."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Outcome:
    """The HTTP status and the JSON object of the reply to Glific."""

    status: int
    body: dict[str, JsonValue]
    retry_after: int | None = None
    """Seconds, for the header Retry-After."""
    replayed: bool = False
    """True for the stored answer of an earlier call."""
    is_kept: bool = True
    """True if a repetition of the call gets this outcome again."""

    @cached_property
    def is_large(self) -> bool:
        """True if the body takes long to encode or to encrypt."""
        return cpu_bound.is_large(self.body)


def execute(
    function: Function[FunctionBody], body: FunctionBody, model: LanguageModel, deadline: Deadline, context: CallContext
) -> Result:
    """Call the function and format its answer for WhatsApp. Tokens used are counted in the context. Never raises."""
    context.usage, model.allowance = model.usage, context.allowance
    model.memory = context.memory.turns if context.memory else ()
    try:
        with large_reply_slots.hold_until_end():
            return _answer(function, body, model, deadline, context)
    except GlificGptError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a plugin can raise anything, and the message can hold personal data
        log.error("function_failed", call_id=context.call_id, reason=type(error).__name__)
        return UpstreamError("The server could not run this function. Tell its administrators.")


def _answer(
    function: Function[FunctionBody], body: FunctionBody, model: LanguageModel, deadline: Deadline, context: CallContext
) -> FunctionAnswer:
    memory = context.memory
    returned = function.handle(body, model, deadline)
    answer = returned if isinstance(returned, FunctionAnswer) else FunctionAnswer(returned)

    def finish() -> FunctionAnswer:
        cut_off = model.usage.cut_off
        formatted = _format_answer(answer, body, cut_off=cut_off)
        if memory:
            value = answer.parsed_msg
            is_cut = cut_off or (isinstance(value, str) and len(value) > _limit_of(body))
            memory.remember(model.remembered_question, text_to_remember(value, formatted.parsed_msg, is_cut=is_cut))
        return formatted

    return cpu_bound.run(finish, is_long=_is_long_work(answer))


def to_outcome(tenant: Tenant, context: CallContext, result: Result) -> Outcome:
    """Return the answer for a result, with the organization's fallback message for an error."""
    if isinstance(result, GlificGptError):
        result = name_server(result, tenant.base_url)
        context.cause = result.cause
        outcome = error_outcome(context.call_id, result, tenant.fallback_message, context.answer_key)
        return _add(_kept_memory(context), outcome)
    model = context.usage.model or context.model_asked or ""
    outcome = success_outcome(context.call_id, model, result, context.answer_key, cut_off=context.usage.cut_off)
    return _add(context.memory.fields_of_answer() if context.memory else {}, outcome)


def _kept_memory(context: CallContext) -> dict[str, JsonValue]:
    return context.memory.fields_without_answer() if context.memory else {}


def _add(fields: dict[str, JsonValue], outcome: Outcome) -> Outcome:
    return replace(outcome, body=outcome.body | fields) if fields else outcome


def success_outcome(
    call_id: str, model: str, answer: FunctionAnswer, answer_key: str | None = None, *, cut_off: bool = False
) -> Outcome:
    """Return an answer to Glific. `answer_key` names a second key with the value of `parsed_msg`."""
    value = answer.parsed_msg
    body: dict[str, JsonValue] = {"success": True, "status": "ok", "parsed_msg": value, **answer.fields}
    body |= {answer_key: value} if answer_key else {}
    return Outcome(200, body | {"model": model} | ({"cut_off": True} if cut_off else {}) | {"call_id": call_id})


def pending_outcome(context: CallContext) -> Outcome:
    """Say that the answer will be delivered to the waiting flow."""
    body: dict[str, JsonValue] = {"success": True, "status": "pending", "call_id": context.call_id}
    return Outcome(200, body | _kept_memory(context))


def fallback_text(message: str | None) -> str:
    """Return what a person reads after an error: the organization's fallback message, or the server's."""
    # A fallback message can consist of invisible characters only, of which nothing is left.
    return sanitize_message(message or FALLBACK_MESSAGE) or FALLBACK_MESSAGE


def error_outcome(call_id: str, error: GlificGptError, fallback: str | None, answer_key: str | None = None) -> Outcome:
    """Describe an error. `fallback` is for WhatsApp users: a flow may send parsed_msg even after an error.

    `answer_key` names a second key with this message.
    """
    message = fallback_text(fallback)
    body: dict[str, JsonValue] = {
        "success": False,
        "status": "error",
        "error_code": error.code,
        "error_class": error.error_class,
        "error": str(error),
        "parsed_msg": message,
        "call_id": call_id,
    }
    body |= {answer_key: message} if answer_key else {}
    return Outcome(error.status, body, error.retry_after, is_kept=not error.is_temporary)


def _is_long_work(answer: FunctionAnswer) -> bool:
    """Return whether formatting may take more than a few milliseconds."""
    if cpu_bound.is_large(dict(answer.fields)):
        return True
    value = answer.parsed_msg
    if isinstance(value, str):
        return is_long_work(value)
    return cpu_bound.is_large(value) or is_long_json_work(value)


def _format_answer(answer: FunctionAnswer, body: FunctionBody, *, cut_off: bool) -> FunctionAnswer:
    """Raises EmptyAnswer if nothing visible is left, and TypeError or ValueError for a value that is not JSON."""
    value = _format_for_whatsapp(answer.parsed_msg, body, cut_off=cut_off)
    if not answer.fields:
        return FunctionAnswer(value)
    fields = json.loads(json.dumps(dict(answer.fields), allow_nan=False))
    return FunctionAnswer(value, cast("dict[str, JsonValue]", sanitize_json(fields)))


def _limit_of(body: FunctionBody) -> int:
    return min(body.max_characters or MAX_MESSAGE_CHARACTERS, MAX_MESSAGE_CHARACTERS)


def _format_for_whatsapp(value: JsonValue, body: FunctionBody, *, cut_off: bool) -> JsonValue:
    """Raises EmptyAnswer if nothing visible is left, and TypeError or ValueError for a value that is not JSON."""
    if value in EMPTY:
        raise EmptyAnswer
    limit = _limit_of(body)
    if not isinstance(value, str):
        json.dumps(value, allow_nan=False)  # raises an error for a plugin that returns NaN
        return format_json_for_whatsapp(value, limit, body.empty_value or EMPTY_VALUE)
    message = format_for_whatsapp(value, limit)
    if not message:
        raise EmptyAnswer
    return end_after_sentence(message, limit) if cut_off else message
