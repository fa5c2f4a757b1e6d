"""Build a webhook node's request and read the response (glific/glific: Flows.Webhook, Flows.Webhooks.Request)."""

import hashlib
import hmac
import json
import re
import time
from typing import Any, Literal, NoReturn
from urllib.parse import urlencode

from pydantic import SecretStr

from glific_gpt.flows.simulator.context import Context
from glific_gpt.flows.simulator.event_log import FlowStuck, ProblemCode, WebhookCall
from glific_gpt.flows.simulator.expressions import fill_variables_in_json, to_string
from glific_gpt.flows.simulator.guards import CallGuard
from glific_gpt.flows.simulator.outcomes import WebhookRequest, WebhookResponse
from glific_gpt.flows.structure import JsonObject, as_object
from glific_gpt.flows.variables import UNKNOWN_ROOTS, find_unresolved

# The conversation stops, and Glific's Webhook Logs have these texts.
DECODING_ERROR = "Error in decoding webhook body. Please check the json body in floweditor"
ENCODING_ERROR = "Error in encoding webhook body. Please check the json body in floweditor"


_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]*")


def build_request(context: Context, action: JsonObject, calls: CallGuard) -> WebhookRequest:
    """Build the request of a webhook action. Raises FlowStuck if Glific sends none, and so never continues."""
    method = _method(action)
    body = _build_body(context, action)
    url = context.fill(to_string(action.get("url")))
    raw_body = _encode_body(body)
    _note_doubts(context, url, raw_body)
    calls.check_call(context, url, to_string(action.get("uuid")))
    signature = _sign(context.simulation.organization.phrase_for(url), raw_body)
    if method == "GET":
        url, raw_body = _with_query(url, body), b""
    result_name = action.get("result_name")
    return WebhookRequest(
        method=method,
        url=url,
        headers=_headers(context, action),
        body=raw_body,
        result_name=None if result_name is None else to_string(result_name),
        signature=signature,
    )


def function_name(action: JsonObject) -> str | None:
    """Return the name of Glific's own function that the action calls; None if it calls an address."""
    return to_string(action.get("url")) if to_string(action.get("method")).lower() == "function" else None


def _method(action: JsonObject) -> Literal["GET", "POST"]:
    method = to_string(action.get("method")).upper()
    if method == "POST":
        return "POST"
    if method == "GET":
        return "GET"
    raise FlowStuck(f"Glific has no webhook method {method or 'without a name'}. The conversation stops here.")


def _build_body(context: Context, action: JsonObject) -> JsonObject:
    template = action.get("body")
    if template is None or template == "":
        return {}
    try:
        parsed = json.loads(template, parse_constant=refuse_constant) if isinstance(template, str) else None
        body = fill_variables_in_json(parsed, context.bindings)
    except (ValueError, RecursionError):
        raise FlowStuck(DECODING_ERROR) from None
    if not isinstance(body, dict):
        raise FlowStuck(DECODING_ERROR)
    # Glific replaces these after the variables, and only if one is the whole value of a top-level key.
    whole_values = {
        "@contact": context.simulation.contact.as_webhook_value(),
        "@results": context.results,
        "@wa_group": {},
    }
    filled = {key: whole_values.get(value, value) if isinstance(value, str) else value for key, value in body.items()}
    return filled | {"organization_id": context.simulation.organization.glific_id}


def _note_doubts(context: Context, url: str, raw_body: bytes) -> None:
    """Record a URL that servers refuse, and variables that only Glific can fill."""
    log = context.simulation.log
    if not _VISIBLE_ASCII.fullmatch(url):
        log.add_problem(
            ProblemCode.INVALID_ADDRESS,
            f"The address {url} has a space or a letter outside ASCII. Glific sends it as it is, and servers refuse "
            "it. Send the value in the body.",
        )
    for variable in find_unresolved(f"{url} {raw_body.decode()}"):
        if variable.lower().startswith(UNKNOWN_ROOTS):
            log.add_note(f"The simulation does not know {variable}, and sends its name. Glific sends its value.")


def _encode_body(body: JsonObject) -> bytes:
    try:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        raise FlowStuck(ENCODING_ERROR) from None
    # JSON can contain a lone surrogate, which UTF-8 cannot encode.
    return text.encode("utf-8", "replace")


def _sign(phrase: SecretStr, raw_body: bytes) -> SecretStr:
    """Return the value of `X-Glific-Signature` (glific/glific: Glific.signature/3).

    Written independently of the server's verification, so that the simulator checks it.
    """
    seconds = int(time.time())
    signed = f"{seconds}.".encode() + raw_body
    digest = hmac.new(phrase.get_secret_value().encode(), signed, hashlib.sha256).hexdigest()
    return SecretStr(f"t={seconds},v1={digest}")


def _headers(context: Context, action: JsonObject) -> dict[str, str]:
    filled = fill_variables_in_json(as_object(action.get("headers")), context.bindings)
    return {name: to_string(value) for name, value in filled.items()}


def _with_query(url: str, body: JsonObject) -> str:
    if not body:
        return url
    values = {name: value if isinstance(value, str) else json.dumps(value) for name, value in body.items()}
    return f"{url}{'&' if '?' in url else '?'}{urlencode(values, errors='replace')}"


MAX_SHOWN_BODY_CHARACTERS = 300


def read_result(request: WebhookRequest, response: WebhookResponse) -> JsonObject | None:
    """Return the result that Glific stores; None for a failure, of which it stores nothing.

    Lists at every depth become objects with their indexes as keys.
    """
    if response.status is None or not 200 <= response.status <= 299 or request.result_name is None:
        return None
    try:
        result = _lists_to_objects(json.loads(response.body, parse_constant=refuse_constant))
    except (ValueError, RecursionError):
        return None
    return result if isinstance(result, dict) else None


def describe_call(request: WebhookRequest, response: WebhookResponse, *, has_failed: bool) -> WebhookCall:
    """Return the call for the event log."""
    error = _describe_error(request, response) if has_failed else ""
    outcome: Literal["Success", "Failure"] = "Failure" if has_failed else "Success"
    return WebhookCall(request.url, response.status, response.seconds, outcome, error)


def refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python's JSON parser accepts and Elixir's does not."""
    raise ValueError(f"{name} is not a JSON number")


def _lists_to_objects(value: Any) -> Any:
    if isinstance(value, list):
        return {str(index): _lists_to_objects(item) for index, item in enumerate(value)}
    return {key: _lists_to_objects(child) for key, child in value.items()} if isinstance(value, dict) else value


def _describe_error(request: WebhookRequest, response: WebhookResponse) -> str:
    body = response.body.decode("utf-8", "replace")[:MAX_SHOWN_BODY_CHARACTERS]
    if response.status is None:
        return response.error
    if not 200 <= response.status <= 299:
        return f"Did not return a 200..299 status code: {body}"
    if request.result_name is None:
        return "The webhook node has no name for its result."
    return f"Could not decode message body: {body}"
