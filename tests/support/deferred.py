"""Helpers for tests of deferred calls."""

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
from tests.support.server import TIMEOUT_SECONDS, RunningServer, TestOrganization, growing_pauses


def create_connected_organization(
    server: RunningServer, glific: GlificStandIn, slug: str = "alice", **settings: Any
) -> TestOrganization:
    """Create an organization that is connected to this Glific. Deferred calls need a server with a worker."""
    organization = server.add_organization(slug, **settings)
    organization.connect(glific)
    return organization


def pending_call_id(reply: httpx2.Response) -> str:
    """Assert that the reply is exactly a pending one, and return its call id."""
    body = reply.json()
    expected = {"success": True, "status": "pending", "call_id": body.get("call_id")}
    assert (reply.status_code, body) == (200, expected), reply.text
    return str(body["call_id"])


def wait_until(condition: Callable[[], object], seconds: float = TIMEOUT_SECONDS) -> None:
    until = time.monotonic() + seconds
    pauses = growing_pauses()
    while not condition():
        assert time.monotonic() < until, f"The condition is still false after {seconds} s."
        time.sleep(next(pauses))


def start_worker_in_process(server: RunningServer) -> None:
    """Start the server's worker, which runs until the server is closed."""
    worker.launch_engine(server.app, consumes=True)


def find_call(organization: TestOrganization, call_id: str) -> dict[str, Any]:
    """Return the call as the list of calls shows it."""
    return next(call for call in organization.calls() if call["call_id"] == call_id)


def retry_delivery(organization: TestOrganization, call_id: str) -> None:
    """Retry a delivery, as an administrator does. Raises Conflict if there is nothing to retry."""
    with organization.server.app.app_context():
        with transaction() as session:
            organization_id = organizations.find(session, organization.slug).id
        recovery.retry_delivery(organization.server.services.engine, organization_id, call_id)


def has_unfinished_work(server: RunningServer) -> bool:
    """Report whether a deferred call is queued or running."""
    return server.services.engine.has_unfinished("call_")


def count_deliveries(server: RunningServer) -> int:
    with server.app.app_context(), transaction() as session:
        return session.scalar(select(func.count()).select_from(Delivery)) or 0


def resumed_result(glific: GlificStandIn, contact: int) -> dict[str, Any]:
    """Return the result of the only delivered resumption of this contact's flow."""
    (resumed,) = [each for each in glific.resumptions if each.contact_id == contact and each.delivered]
    return resumed.result


def respond_first(behaviours_by_contact: dict[int, list[Behaviour]]) -> Behaviour:
    """Return a behaviour that uses a contact's behaviours for its first resumptions by the API, one each.

    All other resumptions get Glific's normal response.
    """
    queues = {contact: list(behaviours) for contact, behaviours in behaviours_by_contact.items()}

    def behave(exchange: GlificExchange) -> None:
        variables = exchange.received.body["variables"]
        queue = queues.get(int(variables["contactId"]), [])
        (queue.pop(0) if queue else answer())(exchange)

    return behave
