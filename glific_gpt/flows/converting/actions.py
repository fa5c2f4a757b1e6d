"""One webhook: whether it is converted, and into what."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from glific_gpt.errors import GlificGptError, ModelNotAllowed
from glific_gpt.flows.converting import report
from glific_gpt.flows.converting.bodies import Adapted, NotAnObject, adapted
from glific_gpt.flows.converting.report import Remark
from glific_gpt.flows.converting.webhooks import Webhook
from glific_gpt.flows.webhook_auth import WayIn

Refusal: TypeAlias = Callable[[str], GlificGptError | None]
"""Why a model is not asked here; None where it is."""

FUNCTION = "parse_via_chat_gpt"
_SPEECH = re.compile("speech|voice|tts", re.IGNORECASE)
_READABLE = re.compile(r"[A-Za-z0-9_\-]+")
"""What a variable can hold (glific/glific: MessageVarParser)."""


@dataclass(frozen=True)
class Outcome:
    """Of a webhook that is somehow this server's business. `action` is None where it is left as it is."""

    action: dict[str, Any] | None
    remark: Remark
    warnings: list[Remark] = field(default_factory=list)


def outcome(webhook: Webhook, way_in: WayIn, refusal: Refusal) -> Outcome | None:
    """None for what has nothing to do with this server."""
    function = webhook.where().function
    if not webhook.calls_function():
        return Outcome(None, Remark(report.ALREADY_HERE)) if function == way_in.url else None
    if webhook.action.get("url") != FUNCTION:
        return Outcome(None, Remark(_why_another(function), {"function": function}))
    try:
        body = adapted(webhook.action.get("body"))
    except NotAnObject:
        return Outcome(None, Remark(report.BODY_NOT_JSON))
    refused = refusal(body.model) if body.model else None
    if refused is None:
        return _converted(webhook, way_in, body, [])
    if not isinstance(refused, ModelNotAllowed):
        return Outcome(None, Remark(report.MODEL_NOT_TEXT, {"model": body.model}))
    return _converted(webhook, way_in, body, [Remark(report.MODEL_NOT_ALLOWED, {"model": body.model})])


def _why_another(function: str) -> str:
    if function.strip().lower() == FUNCTION:
        return report.MISSPELT
    return report.SPEECH if _SPEECH.search(function) else report.OTHER_FUNCTION


def _converted(webhook: Webhook, way_in: WayIn, body: Adapted, more: list[Remark]) -> Outcome:
    result_name = webhook.where().result_name
    loops, readable = webhook.comes_back(), _READABLE.fullmatch(result_name) is not None
    query = _query(result_name if readable else "") if loops else ""
    action = {
        **webhook.action,
        "method": "POST",
        "url": way_in.url + query,
        "headers": _headers(webhook.action.get("headers"), way_in),
        "body": body.text,
    }
    warnings = [*body.remarks, *more]
    if not readable:
        warnings.append(Remark(report.RESULT_NAME, {"result_name": result_name}))
    if loops and webhook.comes_back_unheard(after_failure=readable):
        warnings.append(Remark(report.NEEDS_A_COUNTER))
    return Outcome(action, Remark(report.CHANGED_IN_A_LOOP if query else report.CHANGED), warnings)


def _query(result_name: str) -> str:
    """What changes from call to call, as Glific dropped no second call of its own function.

    Each answer has a call_id of its own. A failure leaves none, but in most loops the person writes: Glific counts
    that, and loads the contact anew for each run (glific/glific: Contacts.get_contact_field_map).
    """
    message = "message=@contact.last_message_number"
    return f"?after=@results.{result_name}.call_id&{message}" if result_name else f"?{message}"


def _headers(given: Any, way_in: WayIn) -> dict[str, Any]:
    """The author's in their places; those that decide who is let in, and what is read, are ours."""
    ours = way_in.headers()
    decided = {"authorization", *(name.lower() for name in ours)}
    authors = given.items() if isinstance(given, dict) else ()
    return {name: value for name, value in authors if name in ours or name.lower() not in decided} | ours
