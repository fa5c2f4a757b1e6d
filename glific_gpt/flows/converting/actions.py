"""One webhook: whether it is converted, and into what."""

import re
from dataclasses import dataclass, field
from typing import Any

from glific_gpt.flows.converting import sentences
from glific_gpt.flows.converting.bodies import NotAnObject, adapted
from glific_gpt.flows.converting.report import Remark
from glific_gpt.flows.converting.webhooks import Webhook
from glific_gpt.flows.way_in import WayIn

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


def outcome(webhook: Webhook, way_in: WayIn) -> Outcome | None:
    """None for what has nothing to do with this server."""
    function = webhook.where().function
    if not webhook.calls_function():
        return Outcome(None, Remark(sentences.ALREADY_HERE)) if function == way_in.url else None
    if webhook.action.get("url") != FUNCTION:
        sentence = sentences.SPEECH if _SPEECH.search(function) else sentences.OTHER_FUNCTION
        return Outcome(None, Remark(sentence, {"function": function}))
    try:
        body, remarks = adapted(webhook.action.get("body"))
    except NotAnObject:
        return Outcome(None, Remark(sentences.BODY_NOT_JSON))
    return _converted(webhook, way_in, body, remarks)


def _converted(webhook: Webhook, way_in: WayIn, body: str, remarks: list[Remark]) -> Outcome:
    result_name = webhook.where().result_name
    loops, readable = webhook.comes_back(), _READABLE.fullmatch(result_name) is not None
    # Each answer has a call_id of its own. Glific dropped no second call of its own function.
    query = f"?after=@results.{result_name}.call_id" if loops and readable else ""
    action = {
        **webhook.action,
        "method": "POST",
        "url": way_in.url + query,
        "headers": _headers(webhook.action.get("headers"), way_in),
        "body": body,
    }
    warnings = [*remarks]
    if not readable:
        warnings.append(Remark(sentences.RESULT_NAME, {"result_name": result_name}))
    if webhook.comes_back_after_failure() or (loops and not readable):
        warnings.append(Remark(sentences.NEEDS_A_COUNTER))
    return Outcome(action, Remark(sentences.CHANGED_IN_A_LOOP if query else sentences.CHANGED), warnings)


def _headers(given: Any, way_in: WayIn) -> dict[str, Any]:
    """The author's in their places; those that decide who is let in, and what is read, are ours."""
    ours = way_in.headers()
    decided = {"authorization", *(name.lower() for name in ours)}
    authors = given.items() if isinstance(given, dict) else ()
    return {name: value for name, value in authors if name in ours or name.lower() not in decided} | ours
