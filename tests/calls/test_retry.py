"""An administrator retries the delivery of an answer that did not reach its flow."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from glific_gpt.calls.deferred import recovery
from glific_gpt.calls.tables import Delivery
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.errors import Conflict, GlificGptError, NotFound
from glific_gpt.operations import worker
from glific_gpt.operations.housekeeping import run_housekeeping
from tests.support.deferred import create_connected_organization, retry_delivery
from tests.support.glific_behaviours import answer, drop_reply, errors
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import out_of_credit
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

PERMANENT_REFUSAL = errors({"key": "contact", "message": "Resource not found"})
"""An error that a second attempt would not change."""


def get_retry_conflict(organization: TestOrganization, call_id: str) -> str:
    """Return the message of the Conflict that a retry raises."""
    with pytest.raises(Conflict) as caught:
        retry_delivery(organization, call_id)
    return str(caught.value)


def accept_call(organization: TestOrganization) -> str:
    """Make a deferred call, and return its id."""
    return str(organization.ask_deferred().json()["call_id"])


def create_undelivered_call(organization: TestOrganization, glific: GlificStandIn) -> str:
    """Return the id of a call after Glific refused its answer. Glific accepts all later answers."""
    glific.always(PERMANENT_REFUSAL)
    call_id = accept_call(organization)
    assert organization.wait_for_delivery(call_id).state in {"undelivered", "uncertain"}
    glific.always(answer())
    return call_id


def fail_all_workflows(server: RunningServer) -> None:
    """Mark every workflow as failed, as an unexpected exception would."""
    with server.app.app_context(), transaction() as session:
        schema = "" if session.get_bind().dialect.name == "sqlite" else "dbos."
        session.execute(sa.text(f"UPDATE {schema}workflow_status SET status = 'ERROR'"))  # noqa: S608 - ours


@pytest.fixture
def alice(server_with_worker: RunningServer, glific: GlificStandIn) -> TestOrganization:
    """A connected organization on a server with a worker."""
    return create_connected_organization(server_with_worker, glific)


@pytest.fixture
def alice_without_worker(server: RunningServer, glific: GlificStandIn) -> TestOrganization:
    """A connected organization on a server without a worker. Its calls wait in the queue."""
    return create_connected_organization(server, glific)


def test_an_undelivered_answer_is_delivered_again_without_asking_openai(
    alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    call_id = create_undelivered_call(alice, glific)
    (before,) = alice.calls()
    retry_delivery(alice, call_id)
    delivery = alice.wait_for_delivery(call_id)
    (after,) = alice.calls()
    assert (before["status"], before["error_code"]) == ("error", "undelivered")
    assert (after["status"], after["error_code"]) == ("ok", None)
    assert after["duration_ms"] > before["duration_ms"]
    assert (delivery.state, delivery.attempts, delivery.answer) == ("delivered", 2, None)
    assert glific.resumptions[-1].result["parsed_msg"] == "Hello from the stand-in."
    assert len(openai.requests) == 1


def test_an_uncertain_answer_is_delivered_again(alice: TestOrganization, glific: GlificStandIn) -> None:
    glific.will(drop_reply())
    call_id = create_undelivered_call(alice, glific)
    assert alice.delivery(call_id).state == "uncertain"
    retry_delivery(alice, call_id)
    assert alice.wait_for_delivery(call_id).state == "delivered"
    assert alice.calls()[0]["error_code"] is None


def test_a_retry_keeps_the_error_of_the_call(
    alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(out_of_credit())
    call_id = create_undelivered_call(alice, glific)
    retry_delivery(alice, call_id)
    assert alice.wait_for_delivery(call_id).state == "delivered"
    assert glific.resumptions[-1].result["error_code"] == "insufficient_quota"
    (call,) = alice.calls()
    assert (call["status"], call["error_code"]) == ("error", "insufficient_quota")


def test_a_delivery_can_be_retried_until_it_succeeds(alice: TestOrganization, glific: GlificStandIn) -> None:
    call_id = create_undelivered_call(alice, glific)
    for number in (2, 3):
        glific.always(PERMANENT_REFUSAL)
        retry_delivery(alice, call_id)
        delivery = alice.wait_for_delivery(call_id)
        assert (delivery.state, delivery.attempts) == ("undelivered", number)
        assert alice.calls()[0]["error_code"] == "undelivered"
    glific.always(answer())
    retry_delivery(alice, call_id)
    assert alice.wait_for_delivery(call_id).state == "delivered"


def test_a_retried_call_is_pending_until_a_worker_takes_it(alice: TestOrganization, glific: GlificStandIn) -> None:
    call_id = create_undelivered_call(alice, glific)
    alice.server.services.engine.stop(5)
    before = alice.delivery(call_id)
    retry_delivery(alice, call_id)
    after = alice.delivery(call_id)
    assert (after.state, after.ended_at, after.possibly_delivered) == ("waiting", None, False)
    assert after.delivering_since
    assert before.ended_at
    assert after.delivering_since > before.ended_at
    (call,) = alice.calls()
    assert (call["status"], call["error_code"], call["duration_ms"]) == ("pending", None, None)
    assert "being delivered" in get_retry_conflict(alice, call_id)
    worker.launch_engine(alice.server.app, consumes=True)
    assert alice.wait_for_delivery(call_id).state == "delivered"


def test_one_of_two_concurrent_retries_succeeds(alice: TestOrganization, glific: GlificStandIn) -> None:
    call_id = create_undelivered_call(alice, glific)
    alice.server.services.engine.stop(5)

    def attempt(_: int) -> str:
        try:
            retry_delivery(alice, call_id)
        except GlificGptError as error:
            return error.code
        return "retried"

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(attempt, range(2))) == ["conflict", "retried"]
    worker.launch_engine(alice.server.app, consumes=True)
    assert alice.wait_for_delivery(call_id).attempts == 2


def test_a_delivered_answer_is_not_retried(alice: TestOrganization, glific: GlificStandIn) -> None:
    call_id = accept_call(alice)
    alice.wait_for_delivery(call_id)
    assert "already has this answer" in get_retry_conflict(alice, call_id)
    assert len(glific.resumptions) == 1


def test_a_synchronous_call_has_nothing_to_deliver(alice: TestOrganization) -> None:
    assert "nothing to deliver" in get_retry_conflict(alice, alice.ask().json()["call_id"])
    assert "nothing to deliver" in get_retry_conflict(alice, alice.ask("").json()["call_id"])


def test_a_deleted_answer_cannot_be_retried(alice: TestOrganization, glific: GlificStandIn) -> None:
    call_id = create_undelivered_call(alice, glific)
    with time_machine.travel(now() + timedelta(hours=25)):
        run_housekeeping(alice.server.app)
    assert "no longer stored" in get_retry_conflict(alice, call_id)
    assert alice.delivery(call_id).state == "undelivered"


def test_an_answer_that_waits_for_a_worker_is_not_retried(alice_without_worker: TestOrganization) -> None:
    assert "being delivered" in get_retry_conflict(alice_without_worker, accept_call(alice_without_worker))


def test_a_retry_enqueues_a_failed_workflow_again_each_time(
    alice_without_worker: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    call_id = accept_call(alice_without_worker)
    for _ in range(2):
        fail_all_workflows(alice_without_worker.server)
        retry_delivery(alice_without_worker, call_id)
        assert "being delivered" in get_retry_conflict(alice_without_worker, call_id)
    worker.launch_engine(alice_without_worker.server.app, consumes=True)
    assert alice_without_worker.wait_for_delivery(call_id).state == "delivered"
    assert len(openai.requests) == len(glific.resumptions) == 1


def test_another_organizations_call_looks_like_an_unknown_one(alice: TestOrganization, glific: GlificStandIn) -> None:
    bob = alice.server.add_organization("bob")
    call_id = create_undelivered_call(alice, glific)
    messages = set()
    for requested_id in (call_id, f"call_{'0' * 24}", "call_", "\udcff\x00"):
        with pytest.raises(NotFound) as caught:
            retry_delivery(bob, requested_id)
        messages.add(str(caught.value))
    assert messages == {"There is no call with this id."}
    assert alice.delivery(call_id).state == "undelivered"


class InterruptedEngine:
    """The engine of a server, in which something else happens during a retry."""

    def __init__(self, server: RunningServer, meanwhile: Callable[[], object]) -> None:
        self._engine, self._meanwhile = server.services.engine, meanwhile

    def has_unfinished(self, prefix: str) -> bool:
        found = self._engine.has_unfinished(prefix)
        self._meanwhile()
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


def change_delivery(server: RunningServer, **values: object) -> None:
    with server.app.app_context(), transaction() as session:
        session.execute(sa.update(Delivery).values(**values))


def retry_with(organization: TestOrganization, call_id: str, meanwhile: Callable[[], object]) -> None:
    """Retry the delivery, and change it between the two transactions of the retry."""
    engine: Any = InterruptedEngine(organization.server, meanwhile)
    with organization.server.app.app_context():
        recovery.retry_delivery(engine, organization.delivery(call_id).organization_id, call_id)


@pytest.mark.parametrize(
    "change",
    [{"state": "undelivered"}, {"question": None, "answer": None}, {"delivering_since": now()}],
    ids=["it has failed", "its content was deleted", "it was retried"],
)
def test_a_delivery_that_changes_during_its_retry_is_not_retried(
    alice_without_worker: TestOrganization, change: dict[str, object]
) -> None:
    call_id, server = accept_call(alice_without_worker), alice_without_worker.server
    fail_all_workflows(server)
    with pytest.raises(Conflict, match="being delivered"):
        retry_with(alice_without_worker, call_id, lambda: change_delivery(server, **change))
    assert not server.services.engine.has_unfinished(call_id)


@pytest.mark.parametrize("is_possibly_delivered", [True, False])
def test_a_retry_of_lost_work_remembers_that_an_attempt_may_have_succeeded(
    alice_without_worker: TestOrganization, is_possibly_delivered: bool
) -> None:
    call_id, server = accept_call(alice_without_worker), alice_without_worker.server
    fail_all_workflows(server)
    change_delivery(server, possibly_delivered=is_possibly_delivered)
    retry_delivery(alice_without_worker, call_id)
    assert alice_without_worker.delivery(call_id).possibly_delivered == is_possibly_delivered


def test_a_retry_of_a_failed_delivery_forgets_its_attempts(alice_without_worker: TestOrganization) -> None:
    call_id, server = accept_call(alice_without_worker), alice_without_worker.server
    change_delivery(server, possibly_delivered=True, state="uncertain")
    retry_delivery(alice_without_worker, call_id)
    assert not alice_without_worker.delivery(call_id).possibly_delivered


def test_a_delivery_that_was_retried_just_now_is_no_orphan(alice_without_worker: TestOrganization) -> None:
    call_id, server = accept_call(alice_without_worker), alice_without_worker.server
    fail_all_workflows(server)
    change_delivery(server, accepted_at=now() - timedelta(hours=2), delivering_since=now())
    with server.app.app_context():
        recovery.requeue_orphans(server.services.engine)
    assert not server.services.engine.has_unfinished(call_id)
