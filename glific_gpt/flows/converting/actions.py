"""Convert one webhook action: decide whether it is converted, and write its address, headers and body."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from glific_gpt.errors import GlificGptError, ModelNotAllowed
from glific_gpt.flows.converting import report
from glific_gpt.flows.converting.report import Remark
from glific_gpt.flows.converting.webhooks import Webhook
from glific_gpt.flows.endpoint import WebhookEndpoint
from glific_gpt.flows.files import StrictJsonError, parse_json
from glific_gpt.flows.structure import JsonObject, as_string

ModelRefusal: TypeAlias = Callable[[str], GlificGptError | None]
"""Returns the reason why this server refuses a model; None if it does not."""

FUNCTION = "parse_via_chat_gpt"
GLIFIC_DEFAULT_MODEL = "gpt-4o"
"""Glific's own function uses this model if the body has no `model`."""
_SPEECH = re.compile("speech|voice|tts", re.IGNORECASE)
_READABLE_RESULT_NAME = re.compile(r"[A-Za-z0-9_\-]+")
"""The characters of a variable (glific/glific: MessageVarParser)."""


@dataclass(frozen=True)
class ConvertedWebhook:
    """The result for one webhook. `action` is None if the webhook is not changed."""

    action: JsonObject | None
    remark: Remark
    warnings: list[Remark] = field(default_factory=list)


def convert_webhook(webhook: Webhook, endpoint: WebhookEndpoint, refusal: ModelRefusal) -> ConvertedWebhook | None:
    """Convert a webhook; return None for one that neither calls this server nor a function of Glific."""
    function = webhook.reference().function
    if not webhook.is_function_call():
        return ConvertedWebhook(None, Remark(report.ALREADY_CONVERTED)) if function == endpoint.url else None
    if webhook.action.get("url") != FUNCTION:
        return ConvertedWebhook(None, Remark(_other_function_template(function), {"function": function}))
    try:
        body = convert_body(webhook.action.get("body"))
    except BodyNotAnObject:
        return ConvertedWebhook(None, Remark(report.BODY_NOT_JSON))
    error = refusal(body.model) if body.model else None
    if error is None:
        return _convert_action(webhook, endpoint, body, [])
    if not isinstance(error, ModelNotAllowed):
        return ConvertedWebhook(None, Remark(report.MODEL_NOT_TEXT, {"model": body.model}))
    # An administrator can allow the model later, so the node is converted with a warning.
    return _convert_action(webhook, endpoint, body, [Remark(report.MODEL_NOT_ALLOWED, {"model": body.model})])


def _other_function_template(function: str) -> str:
    if function.strip().lower() == FUNCTION:
        return report.MISSPELT_FUNCTION
    return report.SPEECH_FUNCTION if _SPEECH.search(function) else report.OTHER_FUNCTION


def _convert_action(
    webhook: Webhook, endpoint: WebhookEndpoint, body: "ConvertedBody", model_warnings: list[Remark]
) -> ConvertedWebhook:
    result_name = webhook.reference().result_name
    is_on_cycle, is_readable = webhook.is_on_cycle(), _READABLE_RESULT_NAME.fullmatch(result_name) is not None
    query = _changing_query(result_name if is_readable else "") if is_on_cycle else ""
    action = {
        **webhook.action,
        "method": "POST",
        "url": endpoint.url + query,
        "headers": _merge_headers(webhook.action.get("headers"), endpoint),
        "body": body.text,
    }
    warnings = [*body.warnings, *model_warnings]
    if not is_readable:
        warnings.append(Remark(report.UNREADABLE_RESULT_NAME, {"result_name": result_name}))
    if is_on_cycle and webhook.returns_without_reply(after_failure=is_readable):
        warnings.append(Remark(report.NEEDS_COUNTER))
    return ConvertedWebhook(action, Remark(report.CHANGED_ON_CYCLE if query else report.CHANGED), warnings)


def _changing_query(result_name: str) -> str:
    """Return a query that differs for each call, because Glific drops a repeated call to the same address.

    Each answer has its own call_id. A failure stores none, but on most cycles the user replies: Glific counts the
    messages, and loads the contact for each run (glific/glific: Contacts.get_contact_field_map).
    """
    message = "message=@contact.last_message_number"
    return f"?after=@results.{result_name}.call_id&{message}" if result_name else f"?{message}"


def _merge_headers(original: Any, endpoint: WebhookEndpoint) -> JsonObject:
    """Keep the author's headers, except those for authentication and content types, which the endpoint sets."""
    required = endpoint.headers()
    overridden = {"authorization", *(name.lower() for name in required)}
    items = original.items() if isinstance(original, dict) else ()
    # A header of the same spelling keeps its position, so that the diff of the file stays small.
    return {name: value for name, value in items if name in required or name.lower() not in overridden} | required


GLIFIC_VALUES = {"contact": "@contact", "results": "@results", "flow_id": "@flow.id"}
"""Values that this server needs in each body."""
_CUSTOM_VALUE_TEMPLATES = {
    "contact": report.CUSTOM_CONTACT,
    "results": report.CUSTOM_RESULTS,
    "flow_id": report.CUSTOM_FLOW_ID,
}


class BodyNotAnObject(Exception):
    """The body is not a JSON object: Glific itself cannot send it."""


@dataclass(frozen=True)
class ConvertedBody:
    """A request body for this server."""

    text: str
    """JSON; the author's text if nothing was missing."""
    model: str = ""
    """The model in the body; "" if there is none, or a variable."""
    warnings: list[Remark] = field(default_factory=list)


def convert_body(body: Any) -> ConvertedBody:
    """Add the values that this server needs to a body. Raises BodyNotAnObject."""
    if body is None or body == "":
        return ConvertedBody(_dump({**GLIFIC_VALUES, "question_text": ""}), warnings=[Remark(report.EMPTY_BODY)])
    original = _parse_object(body)
    converted, warnings = _resolve_models(original)
    warnings += [
        Remark(_CUSTOM_VALUE_TEMPLATES[key])
        for key, value in GLIFIC_VALUES.items()
        if converted.setdefault(key, value) != value
    ]
    if "question_text" not in converted:
        warnings.append(Remark(report.NO_QUESTION))
    model = _model(converted, "gpt_model") or _model(converted, "model")
    return ConvertedBody(body if converted == original else _dump(converted), "" if "@" in model else model, warnings)


def _model(body: JsonObject, key: str) -> str:
    """Return the model; "" for null or blank, which the webhook treats as absent too."""
    return as_string(body.get(key)).strip()


def _parse_object(body: Any) -> JsonObject:
    try:
        value = parse_json(body) if isinstance(body, str) else None
    except StrictJsonError:
        value = None
    if not isinstance(value, dict):
        raise BodyNotAnObject
    return value


def _resolve_models(body: JsonObject) -> tuple[JsonObject, list[Remark]]:
    """Return the body with one model, and warnings.

    Glific's function reads `model`, but its documentation names `gpt_model`, so authors mean the latter.
    """
    gpt_model, model = _model(body, "gpt_model"), _model(body, "model")
    if not gpt_model or gpt_model.lower() == (model or GLIFIC_DEFAULT_MODEL).lower():
        return {**body}, []
    values = {"gpt_model": gpt_model, "model": model}
    if not model:
        return {**body}, [Remark(report.GPT_MODEL_HONOURED, values)]
    return {key: body[key] for key in body if key != "model"}, [Remark(report.TWO_MODELS, values)]


def _dump(body: JsonObject) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False)
