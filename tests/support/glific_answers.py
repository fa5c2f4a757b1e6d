"""Glific's normal responses to a login, to a resumption by its API, and to a signed call."""

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from tests.support.glific_exchange import (
    API_PATH,
    LOGIN_PATH,
    SIGNED_PATH,
    Behaviour,
    GlificExchange,
    Login,
    Resumption,
)

SIGNED_KEYS = ("organization_id", "flow_id", "contact_id", "timestamp", "signature", "result_name")
FIFTEEN_MINUTES = 15 * 60 * 1_000_000


def answer() -> Behaviour:
    """Respond like Glific, depending on the path."""
    handlers = {LOGIN_PATH: _log_in, API_PATH: _resume_by_api, SIGNED_PATH: _resume_by_signed_call}
    return lambda exchange: handlers.get(exchange.received.path, _not_found)(exchange)


def accept_login(**data: Any) -> Behaviour:
    """Accept a login with changed data in the response. None removes a key."""

    def behave(exchange: GlificExchange) -> None:
        session = _create_session(exchange) | data
        exchange.send_json(200, {"data": {key: value for key, value in session.items() if value is not None}})

    return behave


def _log_in(exchange: GlificExchange) -> None:
    glific = exchange.stand_in
    body = exchange.received.body if isinstance(exchange.received.body, dict) else {}
    user = body.get("user", {})
    accepted = user.get("phone") in glific.accounts and glific.accounts[user["phone"]] == user.get("password")
    glific.state.add_login(Login(str(user.get("phone")), exchange.received.at, accepted))
    if not accepted:
        exchange.send_json(401, {"error": {"status": 401, "message": "Invalid phone or password"}})
    elif user["phone"] in glific.suspended:
        exchange.send_json(403, {"error": {"status": 403, "message": "Your account is suspended or paused"}})
    else:
        exchange.send_json(200, {"data": _create_session(exchange)})


def _create_session(exchange: GlificExchange) -> dict[str, Any]:
    seconds = exchange.stand_in.token_seconds
    end = datetime.now(UTC) + timedelta(seconds=seconds)
    return {
        "access_token": exchange.stand_in.state.new_token(seconds),
        "renewal_token": "made-up-renewal-token",
        "token_expiry_time": end.isoformat().replace("+00:00", "Z"),
    }


def _resume_by_api(exchange: GlificExchange) -> None:
    if not exchange.stand_in.state.knows(exchange.received.headers.get("authorization", "")):
        exchange.send_json(401, {"error": {"code": 401, "message": "Not authenticated"}})
        return
    resumed = _parse_mutation(exchange)
    if resumed is None:
        exchange.send_json(200, {"errors": [{"message": 'Argument "result" has invalid value $result.'}]})
    elif exchange.stand_in.state.resume(resumed):
        exchange.send_json(200, {"data": {"resumeContactFlow": {"success": True, "errors": None}}})
    else:
        errors = not_waiting_error(resumed.contact_id)
        exchange.send_json(200, {"data": {"resumeContactFlow": {"success": True, "errors": [errors]}}})


def not_waiting_error(contact_id: int) -> dict[str, str]:
    """Return Glific's own error (glific/glific, `FlowContext.resume_contact_flow`)."""
    return {"key": "contact", "message": f"{contact_id} does not have any active flows awaiting results."}


def _parse_mutation(exchange: GlificExchange) -> Resumption | None:
    """Return the resumption, or None if the body is not the mutation with the right types."""
    try:
        body = exchange.received.body
        variables = body["variables"]
        ((name, result),) = json.loads(variables["result"]).items()
        ids = [variables[key] for key in ("flowId", "contactId")]
        if "resumeContactFlow(" not in body["query"] or not all(isinstance(each, str) for each in ids):
            return None
        return Resumption("api", int(ids[0]), int(ids[1]), name, result, exchange.received.at, delivered=True)
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


def _resume_by_signed_call(exchange: GlificExchange) -> None:
    body = exchange.received.body
    metadata = body.get("metadata") if isinstance(body, dict) else None
    if isinstance(metadata, dict) and all(key in metadata for key in SIGNED_KEYS):
        exchange.stand_in.state.resume(_signed_resumption(exchange, body, metadata))
    exchange.send(200, b"")


def _signed_resumption(exchange: GlificExchange, body: dict[str, Any], metadata: dict[str, Any]) -> Resumption:
    phrase = exchange.stand_in.phrase
    is_valid = None if phrase is None else _is_valid(phrase, metadata)
    counts = is_valid is not False and body.get("success") is True and "webhook_log_id" not in metadata
    result = {key: value for key, value in metadata.items() if key not in SIGNED_KEYS}
    ids = cast("int", metadata["flow_id"]), cast("int", metadata["contact_id"])
    return Resumption("signed", *ids, metadata["result_name"], result, exchange.received.at, counts, is_valid)


def _is_valid(phrase: str, metadata: dict[str, Any]) -> bool:
    at = metadata["timestamp"]
    ids = ",".join(f'"{key}":{metadata[key]}' for key in ("contact_id", "flow_id", "organization_id", "timestamp"))
    expected = hmac.new(phrase.encode(), f"{at}.{{{ids}}}".encode(), hashlib.sha256).hexdigest()
    is_fresh = isinstance(at, int) and abs(time.time_ns() // 1000 - at) < FIFTEEN_MINUTES
    return is_fresh and hmac.compare_digest(expected.encode(), str(metadata["signature"]).encode())


def _not_found(exchange: GlificExchange) -> None:
    exchange.send_json(404, {"errors": {"detail": "Not Found"}})
