"""Resuming a flow by signed call: no login and no receipt, as Glific's own AI platform does it."""

import hashlib
import hmac
import json
import time

from pydantic import JsonValue

from glific_gpt.clock import Deadline
from glific_gpt.glific import replies
from glific_gpt.glific.http import HttpClients
from glific_gpt.glific.resume import Resumption, SignedAccess, Verdict

PATH = "/webhook/flow_resume"

# With this key Glific takes the call for the end of a webhook node, and the waiting conversation is stuck.
_NEVER_SENT = {"webhook_log_id"}


def resume(http: HttpClients, access: SignedAccess, resumption: Resumption, deadline: Deadline) -> Verdict:
    """Sends it once. Raises Undelivered when no reply came."""
    at = time.time_ns() // 1000
    return replies.of_signed_call(http.post(access.api_url + PATH, body(access, resumption, at), deadline))


def body(access: SignedAccess, resumption: Resumption, at: int) -> dict[str, JsonValue]:
    """What is sent, `at` in microseconds of Unix time.

    `success` is true for failures too: with false Glific looks for a webhook node, and the conversation is stuck.
    All of `metadata` becomes `@results.<result_name>`.
    """
    text = _text(resumption.result.get("parsed_msg"))
    result = {key: value for key, value in resumption.result.items() if key not in _NEVER_SENT}
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
    """Lowercase hex of HMAC-SHA256 of `<at>.<the ids and at as JSON>` under the phrase; keys sorted, no spaces."""
    ids = {
        "contact_id": contact_id,
        "flow_id": flow_id,
        "organization_id": access.organization_id,
        "timestamp": at,
    }
    signed = f"{at}.{json.dumps(ids, sort_keys=True, separators=(',', ':'))}"
    return hmac.new(access.phrase.get_secret_value().encode(), signed.encode(), hashlib.sha256).hexdigest()


def _text(parsed_msg: JsonValue) -> str:
    if isinstance(parsed_msg, str):
        return parsed_msg
    return "" if parsed_msg is None else json.dumps(parsed_msg, ensure_ascii=False)
