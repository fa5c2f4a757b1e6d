"""Interpret Glific's responses. Error texts of Glific are never passed on, because they can name contacts."""

from collections.abc import Iterator
from typing import Any

from glific_gpt.glific.http import HttpResponse
from glific_gpt.glific.resumption import DeliveryResult, DeliveryStatus, refusal, temporary_failure

NOT_WAITING_MESSAGE = "does not have any active flows awaiting results"
"""Part of Glific's error when the flow is not at its waiting node (glific/glific, `FlowContext`)."""

DELIVERED = DeliveryResult(DeliveryStatus.DELIVERED, "Glific accepted the answer, and the flow continues.")
SIGNED_CALL_ACCEPTED = DeliveryResult(
    DeliveryStatus.DELIVERED, "Glific accepted the signed call. It does not report whether the flow continued."
)
FLOW_NOT_WAITING = DeliveryResult(
    DeliveryStatus.NOT_WAITING,
    "The flow is not waiting for a result: it has not reached its waiting node yet, or has left it.",
)
UNREADABLE_RESPONSE = temporary_failure(
    "Glific's response could not be read. Check the address, or try again in a minute."
)
NOT_PERMITTED = refusal(
    "Glific accepted the login, but does not let it resume flows. Connect with the login of a manager or administrator."
)
NOT_FOUND = refusal("Glific cannot find the contact or the flow. Check flow_id and contact in the webhook node.")
RESUME_REFUSED = refusal("Glific refused to resume the flow. Check the flow and the contact in Glific.")

# Client errors that a retry can solve: request time-out, too early, too many requests.
_TEMPORARY_STATUSES = {408, 425, 429}


def interpret_api_response(response: HttpResponse) -> DeliveryResult:
    """Return the result of resumeContactFlow.

    Only `errors` counts: Glific sets the flag `success` to true even when it refuses.
    """
    if response.status != 200:
        return interpret_status(response)
    errors = _error_messages(response.json())
    if errors is None:
        return UNREADABLE_RESPONSE
    return _interpret_errors(" ".join(errors).lower()) if errors else DELIVERED


def interpret_signed_call_response(response: HttpResponse) -> DeliveryResult:
    """Return the result of a signed call, for which Glific sends only a status."""
    if response.status != 200:
        return interpret_status(response)
    return UNREADABLE_RESPONSE if response.body is None else SIGNED_CALL_ACCEPTED


def interpret_status(response: HttpResponse) -> DeliveryResult:
    """Return the result of a response with another status than 200."""
    status = response.status
    if status == 429:
        return temporary_failure(
            "Glific limits the number of requests. Another attempt in a minute can succeed.",
            retry_after=response.retry_after,
        )
    if status >= 500 or status in _TEMPORARY_STATUSES:
        message = f"Glific had an internal error (status {status}). Another attempt in a minute can succeed."
        return temporary_failure(message, retry_after=response.retry_after)
    if status >= 400:
        return refusal(f"Glific refused the request (status {status}). Check the address of its API.")
    if status >= 300:
        return refusal(
            f"The address of the Glific API redirects to another address (status {status}), so nothing was sent. "
            "Correct the address."
        )
    return UNREADABLE_RESPONSE


def is_unauthorized(response: HttpResponse) -> bool:
    """Return whether Glific does not accept the token, by its status or by an error of GraphQL."""
    if response.status != 200:
        return response.status == 401
    errors = " ".join(_error_messages(response.json()) or ()).lower()
    return "unauthorized" in errors or "unauthenticated" in errors


def _interpret_errors(errors: str) -> DeliveryResult:
    if NOT_WAITING_MESSAGE in errors:
        return FLOW_NOT_WAITING
    return NOT_FOUND if "not found" in errors else RESUME_REFUSED


def _error_messages(document: Any) -> list[str] | None:
    """Return all error messages of a GraphQL response: empty on success, None if the document has another shape."""
    if not isinstance(document, dict):
        return None
    if document.get("errors"):
        return [*_messages(document["errors"])]
    data = document.get("data")
    resumed = data.get("resumeContactFlow") if isinstance(data, dict) else None
    if not isinstance(resumed, dict) or "errors" not in resumed:
        return None
    errors = resumed["errors"]
    if errors is not None and not isinstance(errors, dict | list | str):
        return None
    return [*_messages(errors)] if errors else []


def _messages(errors: Any) -> Iterator[str]:
    """Yield a message for each error. Glific sends a list, or a single object or string."""
    parts = errors if isinstance(errors, list) else [errors]
    for part in parts:
        yield str(part.get("message") or part) if isinstance(part, dict) else str(part)
