"""What Glific's replies mean, told in our words; theirs may name people and are never passed on."""

from collections.abc import Iterator
from typing import Any

from glific_gpt.glific.http import HttpReply
from glific_gpt.glific.resume import Reply, Verdict, refused, try_later

NOT_WAITING = "does not have any active flows awaiting results"
"""In what Glific answers when the flow is not parked at its waiting node (glific/glific, `FlowContext`)."""

DELIVERED = Verdict(Reply.DELIVERED, "Glific took the answer, and the flow goes on.")
SIGNED_CALL_TAKEN = Verdict(Reply.DELIVERED, "Glific took the signed call, to which it never says what became of it.")
NO_FLOW_WAITS = Verdict(Reply.NOT_WAITING, "The flow is not waiting for a result: not yet, or not any more.")
UNREADABLE = try_later("Glific answered in a way that cannot be read: check the address, or try again in a minute.")
NO_RIGHT = refused(
    "Glific let the login in, but does not let it resume flows: connect with the login of a manager or administrator."
)
UNKNOWN = refused("Glific does not find the contact or the flow: check flow_id and contact in the webhook node.")
OTHER_ERROR = refused("Glific refused to resume the flow: look at the flow and the contact in Glific.")

_PASSES = {408, 425, 429}


def of_api(reply: HttpReply) -> Verdict:
    """The verdict of a reply to resumeContactFlow. The flag `success` is true for refusals too: `errors` decides."""
    if reply.status != 200:
        return of_status(reply)
    errors = _errors(reply.json())
    if errors is None:
        return UNREADABLE
    return _of_words(" ".join(errors).lower()) if errors else DELIVERED


def of_signed_call(reply: HttpReply) -> Verdict:
    """The verdict of a reply to the signed call, whose status is all that there is."""
    if reply.status != 200:
        return of_status(reply)
    return UNREADABLE if reply.body is None else SIGNED_CALL_TAKEN


def of_status(reply: HttpReply) -> Verdict:
    """The verdict where the status alone says that it did not work."""
    if reply.status == 429:
        return try_later("Glific is asked too often: it is asked again in a moment.", retry_after=reply.retry_after)
    if reply.status >= 500 or reply.status in _PASSES:
        said = f"Glific had a failure of its own (status {reply.status}): it is asked again in a moment."
        return try_later(said, retry_after=reply.retry_after)
    if reply.status >= 400:
        return refused(f"Glific refused the call (status {reply.status}): check the address of its API.")
    if reply.status >= 300:
        return refused(
            f"The address of the Glific API leads elsewhere (status {reply.status}), where nothing is sent: correct it."
        )
    return UNREADABLE


def is_unauthorized(reply: HttpReply) -> bool:
    """Whether the token is not accepted (any more), said by status or in the errors of GraphQL."""
    if reply.status != 200:
        return reply.status == 401
    words = " ".join(_errors(reply.json()) or ()).lower()
    return "unauthorized" in words or "unauthenticated" in words


def _of_words(words: str) -> Verdict:
    if NOT_WAITING in words:
        return NO_FLOW_WAITS
    return UNKNOWN if "not found" in words else OTHER_ERROR


def _errors(document: Any) -> list[str] | None:
    """The texts of all errors in a GraphQL document; empty when it went well, None for another shape."""
    if not isinstance(document, dict):
        return None
    if document.get("errors"):
        return [*_texts(document["errors"])]
    data = document.get("data")
    resumed = data.get("resumeContactFlow") if isinstance(data, dict) else None
    if not isinstance(resumed, dict) or "errors" not in resumed:
        return None
    errors = resumed["errors"]
    if errors is not None and not isinstance(errors, dict | list | str):
        return None
    return [*_texts(errors)] if errors else []


def _texts(errors: Any) -> Iterator[str]:
    """A text for each error of a list, or for the one error that there is."""
    parts = errors if isinstance(errors, list) else [errors]
    for part in parts:
        yield str(part.get("message") or part) if isinstance(part, dict) else str(part)
