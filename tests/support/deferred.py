"""What tests need about answers that come later: who waits for them, the waiting, and what they leave behind."""

import time
from collections.abc import Callable
from typing import Any

import httpx2
from sqlalchemy import func, select

from glific_gpt.calls.deferred import recovery
from glific_gpt.calls.tables import Delivery
from glific_gpt.database import transaction
from glific_gpt.operations import worker
from glific_gpt.organizations import store as organizations
from tests.support.glific_behaviours import Behaviour, answer
from tests.support.glific_exchange import GlificExchange
from tests.support.glific_stand_in import GlificStandIn
from tests.support.server import TIMEOUT_SECONDS, RunningServer, TestOrganization


def create_connected_organization(
    server: RunningServer, glific: GlificStandIn, slug: str = "alice", **settings: Any
) -> TestOrganization:
    """A new organization whose flows wait in that Glific; who works on its answers is the server's to say."""
    organization = server.add_organization(slug, **settings)
    organization.connect(glific)
    return organization


def pending_call_id(reply: httpx2.Response) -> str:
    """The call's id, of an answer that says that it comes later, and nothing besides."""
    body = reply.json()
    expected = {"success": True, "status": "pending", "call_id": body.get("call_id")}
    assert (reply.status_code, body) == (200, expected), reply.text
    return str(body["call_id"])


def wait_until(condition: Callable[[], object], seconds: float = TIMEOUT_SECONDS) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"it did not come about in {seconds} s"
        time.sleep(0.02)


def start_worker_in_process(server: RunningServer) -> None:
    """From now on, until the server is closed."""
    worker.launch_engine(server.app, consumes=True)


def find_call(organization: TestOrganization, call_id: str) -> dict[str, Any]:
    """The call as staff see it in the list."""
    return next(call for call in organization.calls() if call["call_id"] == call_id)


def retry_delivery(organization: TestOrganization, call_id: str) -> None:
    """As an administrator wants it. Raises Conflict where there is nothing to try."""
    with organization.server.app.app_context():
        with transaction() as session:
            organization_id = organizations.find(session, organization.slug).id
        recovery.retry_delivery(organization.server.services.engine, organization_id, call_id)


def has_unfinished_work(server: RunningServer) -> bool:
    """Whether any work is waiting or being done."""
    return server.services.engine.has_unfinished("call_")


def count_deliveries(server: RunningServer) -> int:
    with server.app.app_context(), transaction() as session:
        return session.scalar(select(func.count()).select_from(Delivery)) or 0


def resumed_result(glific: GlificStandIn, contact: int) -> dict[str, Any]:
    """What the flow of that contact was given, which happened once."""
    (resumed,) = [each for each in glific.resumptions if each.contact_id == contact and each.delivered]
    return resumed.result


def respond_first(moods: dict[int, list[Behaviour]]) -> Behaviour:
    """By contact: its first resumptions by the API get these, one each, and all others what Glific answers."""
    left = {contact: list(behaviours) for contact, behaviours in moods.items()}

    def behave(exchange: GlificExchange) -> None:
        variables = exchange.received.body["variables"]
        waiting = left.get(int(variables["contactId"]), [])
        (waiting.pop(0) if waiting else answer())(exchange)

    return behave
