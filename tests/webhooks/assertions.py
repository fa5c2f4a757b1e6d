"""The contract of the webhook: the status and class of each error code, and the keys of every reply."""

from typing import Any

import httpx2

from glific_gpt.settings import FALLBACK_MESSAGE

ANSWER_KEYS = {"success", "status", "parsed_msg", "model", "call_id"}
ERROR_KEYS = {"success", "status", "error_code", "error_class", "error", "parsed_msg", "call_id"}

ERROR_CODES = {
    "invalid_json": (400, "caller"),
    "unauthorized": (401, "caller"),
    "insufficient_quota": (402, "organization"),
    "budget_exceeded": (402, "organization"),
    "model_not_allowed": (403, "organization"),
    "organization_inactive": (403, "organization"),
    "unknown_function": (404, "caller"),
    "method_not_allowed": (405, "caller"),
    "credential_missing": (409, "organization"),
    "credential_inactive": (409, "organization"),
    "call_in_progress": (409, "caller"),
    "body_too_large": (413, "caller"),
    "idempotency_mismatch": (422, "caller"),
    "empty_question": (422, "caller"),
    "invalid_field": (422, "caller"),
    "unresolved_variable": (422, "caller"),
    "model_not_text": (422, "caller"),
    "model_not_supported": (422, "caller"),
    "model_not_found": (422, "caller"),
    "glific_not_connected": (422, "organization"),
    "missing_flow_context": (422, "caller"),
    "rate_limited": (429, "organization"),
    "contact_limit": (429, "caller"),
    "invalid_api_key": (502, "organization"),
    "wrong_region": (502, "organization"),
    "upstream_error": (502, "service"),
    "bad_upstream_reply": (502, "service"),
    "empty_answer": (502, "service"),
    "refused": (502, "service"),
    "overloaded": (503, "service"),
    "not_ready": (503, "service"),
    "deadline_exceeded": (504, "service"),
}
CODES_WITH_RETRY_AFTER = {"rate_limited", "contact_limit", "overloaded", "not_ready"}


def get_code(reply: httpx2.Response) -> str:
    """Return the code of an error, or "ok" for an answer."""
    body = reply.json()
    return str(body["error_code"]) if reply.status_code != 200 else str(body["status"])


def require_ok(reply: httpx2.Response, *, cut_off: bool = False, with_memory: bool = False) -> Any:
    """Require a successful answer with all of its keys. Returns its parsed_msg."""
    memory_keys = {"thread_id", "memory"} if with_memory else set()
    assert (reply.status_code, get_code(reply)) == (200, "ok"), reply.text
    body = reply.json()
    assert set(body) == ANSWER_KEYS | memory_keys | ({"cut_off"} if cut_off else set())
    assert body.get("cut_off", False) is cut_off
    assert body["success"] is True
    assert body["parsed_msg"] not in ("", None)
    return body["parsed_msg"]


def require_error(reply: httpx2.Response, code: str, fallback: str = FALLBACK_MESSAGE) -> dict[str, Any]:
    """Require an error with this code, all of its keys and one plain sentence. Returns the body."""
    assert (reply.status_code, get_code(reply)) == (ERROR_CODES[code][0], code), reply.text
    assert reply.headers["Content-Type"].partition(";")[0] == "application/json"
    body: dict[str, Any] = reply.json()
    assert set(body) == ERROR_KEYS
    assert (body["success"], body["status"], body["error_class"]) == (False, "error", ERROR_CODES[code][1])
    assert body["parsed_msg"] == fallback
    assert body["call_id"].startswith("call_")
    sentence = body["error"]
    assert sentence[-1] in ".!", sentence
    assert "\n" not in sentence
    assert "Traceback" not in sentence
    if code in CODES_WITH_RETRY_AFTER:
        assert int(reply.headers["Retry-After"]) >= 1
    return body
