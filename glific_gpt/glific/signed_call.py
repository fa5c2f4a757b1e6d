"""Resume a flow by a signed call, without login and receipt, as Glific's own AI platform does."""

import hashlib
import hmac
import json
import time

from pydantic import JsonValue

from glific_gpt.clock import Deadline
from glific_gpt.glific import responses
from glific_gpt.glific.http import HttpClients
from glific_gpt.glific.resumption import DeliveryResult, Resumption, SignedAccess

RESUME_PATH = "/webhook/flow_resume"

# With this key Glific treats the call as the end of a webhook node, and the waiting flow is stuck.
_OMITTED_KEYS = {"webhook_log_id"}


def resume(http: HttpClients, access: SignedAccess, resumption: Resumption, deadline: Deadline) -> DeliveryResult:
    """Send the result once. Raises DeliveryError if no response arrives."""
    at = time.time_ns() // 1000
    response = http.post(access.api_url + RESUME_PATH, build_body(access, resumption, at), deadline)
    return responses.interpret_signed_call_response(response)


def build_body(access: SignedAccess, resumption: Resumption, at: int) -> dict[str, JsonValue]:
    """Return the request body; `at` is Unix time in microseconds.

    `success` is true even for a failure: with false Glific looks for a webhook node, and the waiting flow is stuck.
    Everything in `metadata` becomes `@results.<result_name>`.
    """
    text = _as_text(resumption.result.get("parsed_msg"))
    result = {key: value for key, value in resumption.result.items() if key not in _OMITTED_KEYS}
    signed: dict[str, JsonValue] = {
        "organization_id": access.organization_id,
        "flow_id": resumption.flow_id,
        "contact_id": resumption.contact_id,
        "timestamp": at,
        "signature": sign(access, resumption.flow_id, resumption.contact_id, at),
        "result_name": resumption.result_name,
    }
    output: JsonValue = {"type": "text", "content": {"format": "text", "value": text}}
    return {"success": True, "data": {"response": {"output": output}}, "metadata": {**result, **signed}}


def sign(access: SignedAccess, flow_id: int, contact_id: int, at: int) -> str:
    """Return the signature in lowercase hex.

    It is HMAC-SHA256 of `<at>.<JSON of the ids and at>` under the phrase. The JSON has sorted keys and no spaces.
    """
    ids = {
        "contact_id": contact_id,
        "flow_id": flow_id,
        "organization_id": access.organization_id,
        "timestamp": at,
    }
    signed = f"{at}.{json.dumps(ids, sort_keys=True, separators=(',', ':'))}"
    return hmac.new(access.phrase.get_secret_value().encode(), signed.encode(), hashlib.sha256).hexdigest()


def _as_text(parsed_msg: JsonValue) -> str:
    if isinstance(parsed_msg, str):
        return parsed_msg
    return "" if parsed_msg is None else json.dumps(parsed_msg, ensure_ascii=False)
