"""Resume a simulated flow with its later answer, which is read from this server's own database."""

import re
import time
from enum import Enum, auto

from glific_gpt.calls.deferred import delivery_records
from glific_gpt.calls.tables import Call, Delivery
from glific_gpt.database import reading, transaction
from glific_gpt.errors import InvalidValue
from glific_gpt.flows.endpoint import is_url_of_server
from glific_gpt.flows.files import Export
from glific_gpt.flows.simulator import Conversation
from glific_gpt.flows.structure import as_object, as_string, object_items
from glific_gpt.organizations import store
from glific_gpt.organizations.connections import store as connections
from glific_gpt.runtime.event_loop import blocking
from glific_gpt.services import services

POLL_INTERVAL_SECONDS = 0.1

MSG_ANSWER_NOT_STORED = (
    "This flow waits for a later answer, but with the signed call this server stores no answers. "
    "Try the flow in Glific: send draft: and its keyword."
)


class ResultStatus(Enum):
    """The result of waiting for a later answer."""

    RECEIVED = auto()
    FAILED = auto()
    """The flow was resumed, but the call failed."""
    NOT_RECEIVED = auto()
    UNRELATED = auto()
    """The flow waits for something other than an answer of this server."""


def check_can_simulate(slug: str, export: Export) -> None:
    """Raise InvalidValue if the flow cannot be simulated to its end, before a question costs money."""
    with transaction() as session:
        connection = connections.find_or_none(session, store.find(session, slug).id)
    if connection is not None and connection.way == "signed" and _requests_later_answers(export):
        raise InvalidValue(MSG_ANSWER_NOT_STORED)


def find_pending_call_id(conversation: Conversation) -> str | None:
    """Return the id of the call that the flow waits for, from the webhook's reply; None for another wait."""
    if conversation.waits_for != "result":
        return None
    results = [as_object(result) for result in conversation.results.values()]
    pending = [result for result in results if result.get("status") == "pending"]
    latest = max(pending, key=lambda result: str(result.get("inserted_at")), default={})
    return str(latest["call_id"]) if latest.get("call_id") else None


@blocking
def resume_when_answered(slug: str, conversation: Conversation) -> ResultStatus:
    """Wait for the answer, at most as long as the flow waits, and resume the flow as Glific would.

    Meanwhile the server also delivers the answer to the connected Glific, in which this contact does not exist.
    """
    call_id = find_pending_call_id(conversation)
    if call_id is None:
        return ResultStatus.UNRELATED
    until = time.monotonic() + (conversation.seconds_left or 0.0)
    while time.monotonic() < until:
        found = _find_delivery(slug, call_id)
        if found is None:
            return ResultStatus.UNRELATED
        delivery, call = found
        if delivery.answer is not None:
            return _resume(conversation, delivery, call)
        if delivery.answered_at is not None or not delivery_records.is_expected(delivery, call):
            return ResultStatus.NOT_RECEIVED
        time.sleep(POLL_INTERVAL_SECONDS)
    return ResultStatus.NOT_RECEIVED


def _find_delivery(slug: str, call_id: str) -> tuple[Delivery, Call] | None:
    # In a reading session, because no call should wait for this query, which is repeated ten times a second.
    with reading() as session:
        found = delivery_records.find(session, call_id)
        return found if found and found[0].organization_id == store.find(session, slug).id else None


def _resume(conversation: Conversation, delivery: Delivery, call: Call) -> ResultStatus:
    with reading() as session:
        answer = delivery_records.read_answer(session, services().vault, delivery)
    result = {delivery.result_name: answer}
    error = conversation.resume(result, contact_id=call.contact_id or 0, flow_id=call.flow_id or 0)
    # `resume` leaves the next webhook of the flow to another thread.
    conversation.wait_for_webhook()
    if error:
        return ResultStatus.NOT_RECEIVED
    return ResultStatus.RECEIVED if answer.get("status") == "ok" else ResultStatus.FAILED


def _requests_later_answers(export: Export) -> bool:
    """Return whether a node asks this server for a later answer."""
    server = services().settings.public_url
    definitions = [as_object(flow.get("definition")) for flow in object_items(export.get("flows"))]
    nodes = [node for definition in definitions for node in object_items(definition.get("nodes"))]
    urls = [as_string(action.get("url")) for node in nodes for action in object_items(node.get("actions"))]
    return any(is_url_of_server(url, server) and re.search(r"[?&]mode=(async|auto)\b", url) for url in urls)
