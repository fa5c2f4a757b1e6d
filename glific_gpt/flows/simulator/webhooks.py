"""A webhook node's request, made as Glific makes it (glific/glific: Flows.Webhook, Flows.Webhooks.Request)."""

import json
import time
from typing import Any, Literal, NoReturn
from urllib.parse import urlencode

from pydantic import SecretStr

from glific_gpt.flows.simulator.context import Context
from glific_gpt.flows.simulator.eex import to_string
from glific_gpt.flows.simulator.event_log import Hung, WebhookCall
from glific_gpt.flows.simulator.guards import Calls
from glific_gpt.flows.simulator.http_call import Answer
from glific_gpt.flows.simulator.outcomes import Call
from glific_gpt.flows.simulator.variables import fill_all
from glific_gpt.flows.structure import thing
from glific_gpt.glific.signature import sign

NOT_JSON = "Error in decoding webhook body. Please check the json body in floweditor"
NOT_ENCODED = "Error in encoding webhook body. Please check the json body in floweditor"
"""What Glific's Webhook Logs say; the conversation hangs."""


def request(context: Context, action: dict[str, Any], made: Calls) -> Call:
    """What is sent for the node. Raises Hung where Glific sends nothing, and nothing wakes the conversation."""
    method = _method(action)
    body = _body(context, action)
    url = context.filled(to_string(action.get("url")))
    raw = _encoded(body)
    made.check(context, url, to_string(action.get("uuid")))
    phrase = context.world.organization.phrase_for(url).get_secret_value()
    signature = SecretStr(sign(phrase, raw, int(time.time())))
    if method == "GET":
        url, raw = _with_query(url, body), b""
    name = action.get("result_name")
    return Call(method, url, _headers(context, action), raw, None if name is None else to_string(name), signature)


def function_of(action: dict[str, Any]) -> str | None:
    """The name of Glific's own function that the node calls; None for a node that calls an address."""
    return to_string(action.get("url")) if to_string(action.get("method")).lower() == "function" else None


def _method(action: dict[str, Any]) -> Literal["GET", "POST"]:
    method = to_string(action.get("method")).upper()
    if method == "POST":
        return "POST"
    if method == "GET":
        return "GET"
    raise Hung(f"Glific knows no webhook of the method {method or 'nothing'}: the conversation hangs.")


def _body(context: Context, action: dict[str, Any]) -> dict[str, Any]:
    template = action.get("body")
    if template is None or template == "":
        return {}
    try:
        written = json.loads(template, parse_constant=no_number) if isinstance(template, str) else None
        body = fill_all(written, context.bindings)
    except (ValueError, RecursionError):
        raise Hung(NOT_JSON) from None
    if not isinstance(body, dict):
        raise Hung(NOT_JSON)
    # Only after the variables, and only the whole value at the top.
    whole = {"@contact": context.world.person.as_sent(), "@results": context.results, "@wa_group": {}}
    filled = {key: whole.get(value, value) if isinstance(value, str) else value for key, value in body.items()}
    return filled | {"organization_id": context.world.organization.glific_id}


def _encoded(body: dict[str, Any]) -> bytes:
    try:
        written = json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        raise Hung(NOT_ENCODED) from None
    return written.encode("utf-8", "replace")


def _headers(context: Context, action: dict[str, Any]) -> dict[str, str]:
    filled = fill_all(thing(action.get("headers")), context.bindings)
    return {name: to_string(value) for name, value in filled.items()}


def _with_query(url: str, body: dict[str, Any]) -> str:
    if not body:
        return url
    values = {name: value if isinstance(value, str) else json.dumps(value) for name, value in body.items()}
    return f"{url}{'&' if '?' in url else '?'}{urlencode(values, errors='replace')}"


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
