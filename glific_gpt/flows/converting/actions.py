"""Convert one webhook action: decide whether it is converted, and write its address and headers."""

import re
from dataclasses import dataclass, field
from typing import Any

from glific_gpt.flows.converting import report
from glific_gpt.flows.converting.bodies import BodyNotAnObject, ConvertedBody, ModelNotText, ModelRules, convert_body
from glific_gpt.flows.converting.functions import FUNCTIONS, ConvertibleFunction, find_meant
from glific_gpt.flows.converting.report import Remark
from glific_gpt.flows.converting.webhooks import Webhook
from glific_gpt.flows.endpoint import WebhookEndpoint
from glific_gpt.flows.pitfalls import DEPRECATED_FUNCTIONS
from glific_gpt.flows.structure import JsonObject, as_string

_SPEECH = re.compile("speech|voice|tts", re.IGNORECASE)
_READABLE_RESULT_NAME = re.compile(r"[A-Za-z0-9_\-]+")
"""The characters of a variable (glific/glific: MessageVarParser)."""


@dataclass(frozen=True)
class ConvertedWebhook:
    """The result for one webhook. `action` is None if the webhook is not changed."""

    action: JsonObject | None
    remark: Remark
    warnings: list[Remark] = field(default_factory=list)


def convert_webhook(webhook: Webhook, endpoint: WebhookEndpoint, models: ModelRules) -> ConvertedWebhook | None:
    """Convert a webhook; return None for one that neither calls this server nor a function of Glific."""
    function = webhook.reference().function
    if not webhook.is_function_call():
        is_converted = function in {endpoint.url_of(name) for name in FUNCTIONS}
        return ConvertedWebhook(None, Remark(report.ALREADY_CONVERTED)) if is_converted else None
    convertible = FUNCTIONS.get(as_string(webhook.action.get("url")))
    if convertible is None:
        return ConvertedWebhook(None, _other_function(function))
    try:
        body = convert_body(
            webhook.action.get("body"),
            convertible,
            webhook.reference().result_name,
            models,
            begins_thread=webhook.is_thread_read(),
        )
    except BodyNotAnObject:
        return ConvertedWebhook(None, Remark(report.BODY_NOT_JSON))
    except ModelNotText as error:
        return ConvertedWebhook(None, Remark(report.MODEL_NOT_TEXT, {"model": str(error)}))
    return _convert_action(webhook, endpoint, convertible, body)


def _other_function(function: str) -> Remark:
    """Return the reason why a call of another function stays."""
    if replacement := DEPRECATED_FUNCTIONS.get(function):
        return Remark(report.DEPRECATED_FUNCTION, {"function": function, "replacement": replacement})
    if name := find_meant(function):
        return Remark(report.MISSPELT_FUNCTION, {"name": name})
    return Remark(report.SPEECH_FUNCTION if _SPEECH.search(function) else report.OTHER_FUNCTION, {"function": function})


def _convert_action(
    webhook: Webhook, endpoint: WebhookEndpoint, function: ConvertibleFunction, body: ConvertedBody
) -> ConvertedWebhook:
    result_name = webhook.reference().result_name
    is_on_cycle, is_readable = webhook.is_on_cycle(), _READABLE_RESULT_NAME.fullmatch(result_name) is not None
    query = _changing_query(result_name if is_readable else "") if is_on_cycle else ""
    action = {
        **webhook.action,
        "method": "POST",
        "url": endpoint.url_of(function.name) + query,
        "headers": _merge_headers(webhook.action.get("headers"), endpoint),
        "body": body.text,
    }
    warnings = [*body.warnings, *([Remark(function.caution)] if function.caution else [])]
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
