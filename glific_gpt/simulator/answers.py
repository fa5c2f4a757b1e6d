"""What becomes of a webhook's answer: what is stored, and what Webhook Logs say (glific/glific: Flows.Webhook)."""

import json
from typing import Any, NoReturn

from glific_gpt.simulator.calling import Answer
from glific_gpt.simulator.diary import WebhookCall
from glific_gpt.simulator.outcomes import Call

SHOWN_OF_AN_ANSWER = 300
"""Characters."""


def result_of(call: Call, answer: Answer) -> dict[str, Any] | None:
    """What is stored, lists at every depth by their index; None for a Failure, of which nothing is."""
    if answer.status is None or not 200 <= answer.status <= 299 or call.result_name is None:
        return None
    try:
        decoded = _indexed(json.loads(answer.body, parse_constant=no_number))
    except (ValueError, RecursionError):
        return None
    return decoded if isinstance(decoded, dict) else None


def told(call: Call, answer: Answer, *, failed: bool) -> WebhookCall:
    """The call, for whoever looks at the conversation."""
    error = _error(call, answer) if failed else ""
    return WebhookCall(call.url, answer.status, answer.seconds, "Failure" if failed else "Success", error)


def no_number(name: str) -> NoReturn:
    """For `json.loads`: what Elixir's JSON does not know either."""
    raise ValueError(f"{name} is no number in JSON")


def _indexed(value: Any) -> Any:
    if isinstance(value, list):
        return {str(at): _indexed(each) for at, each in enumerate(value)}
    return {key: _indexed(each) for key, each in value.items()} if isinstance(value, dict) else value


def _error(call: Call, answer: Answer) -> str:
    body = answer.body.decode("utf-8", "replace")[:SHOWN_OF_AN_ANSWER]
    if answer.status is None:
        return answer.error
    if not 200 <= answer.status <= 299:
        return f"Did not return a 200..299 status code: {body}"
    if call.result_name is None:
        return "The webhook node has no name for its result."
    return f"Could not decode message body: {body}"
