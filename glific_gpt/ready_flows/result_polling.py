"""A later answer for a simulated flow: read from this server's own database, where the server has put it."""

import re
import time
from enum import Enum, auto

from glific_gpt.calls.deferred import delivery_records
from glific_gpt.calls.tables import Call, Delivery
from glific_gpt.connections import store as connections
from glific_gpt.database import reading, transaction
from glific_gpt.errors import InvalidValue
from glific_gpt.flows.files import Export
from glific_gpt.flows.simulator import Conversation
from glific_gpt.flows.simulator.http_call import leads_to
from glific_gpt.flows.structure import text, thing, things
from glific_gpt.organizations import store
from glific_gpt.services import services
from glific_gpt.vault import UnreadableSecret

LOOK_EVERY_SECONDS = 0.1

NOT_KEPT = (
    "This flow waits for an answer that comes later. By the signed call Glific alone gets it, and nothing of it is "
    "kept here for a simulation: try the flow in Glific, with draft: before its keyword."
)


class Later(Enum):
    """What became of a wait."""

    CAME = auto()
    FAILED = auto()
    """It came, and says that the call failed."""
    NEVER_CAME = auto()
    NOT_OURS = auto()
    """The flow waits for something else than an answer of this server."""


def check(slug: str, export: Export) -> None:
    """Before anything is asked and paid for. Raises InvalidValue for a flow that could not be simulated to its end."""
    with transaction() as session:
        connection = connections.find_if_any(session, store.find(session, slug).id)
    if connection is not None and connection.way == "signed" and _waits(export):
        raise InvalidValue(NOT_KEPT)


def call_waited_for(conversation: Conversation) -> str | None:
    """The id of the call whose answer the flow waits for, from what its webhook was told; None for another wait."""
    results = [thing(result) for result in conversation.results.values()] if conversation.waits_for == "result" else []
    pending = [result for result in results if result.get("status") == "pending"]
    latest = max(pending, key=lambda result: str(result.get("inserted_at")), default={})
    return str(latest["call_id"]) if latest.get("call_id") else None


def resume(slug: str, conversation: Conversation) -> Later:
    """Goes on with the answer as the connected Glific would, once it is there: as long as the flow's wait lasts.

    The server meanwhile gives the answer to that Glific too, where nobody of that number waits.
    """
    call_id = call_waited_for(conversation)
    if call_id is None:
        return Later.NOT_OURS
    until = time.monotonic() + (conversation.seconds_left or 0.0)
    while time.monotonic() < until:
        found = _find(slug, call_id)
        if found is None:
            return Later.NOT_OURS
        if found[0].answer is not None:
            return _go_on(conversation, *found)
        if found[0].answered_at is not None or not delivery_records.is_expected(*found):
            return Later.NEVER_CAME
        time.sleep(LOOK_EVERY_SECONDS)
    return Later.NEVER_CAME


def _find(slug: str, call_id: str) -> tuple[Delivery, Call] | None:
    with reading() as session:
        found = delivery_records.find(session, call_id)
        return found if found and found[0].organization_id == store.find(session, slug).id else None


def _go_on(conversation: Conversation, delivery: Delivery, call: Call) -> Later:
    try:
        answer = delivery_records.read_answer(services().vault, delivery)
    except UnreadableSecret:
        return Later.NEVER_CAME
    result = {delivery.result_name: answer}
    refusal = conversation.resume(result, contact_id=call.contact_id or 0, flow_id=call.flow_id or 0)
    conversation.settle_webhook()
    if refusal:
        return Later.NEVER_CAME
    return Later.CAME if answer.get("status") == "ok" else Later.FAILED


def _waits(export: Export) -> bool:
    """Whether a node asks this server for a later answer."""
    here = services().settings.public_url
    nodes = [
        node for flow in things(export.get("flows")) for node in things(thing(flow.get("definition")).get("nodes"))
    ]
    urls = [text(action.get("url")) for node in nodes for action in things(node.get("actions"))]
    return any(leads_to(url, here) and re.search(r"[?&]mode=(async|auto)\b", url) for url in urls)
