"""Forgetting a contact: no call, limit or stored answer of the contact is left, and nothing else changes."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from glific_gpt.calls import contacts
from glific_gpt.calls.contacts import ForgottenContact
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from tests.audit.reading import lines
from tests.conftest import StartServer
from tests.support.call_records import create_call, create_delivery
from tests.support.deferred import create_connected_organization, pending_call_id, resumed_result
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import Behaviour, answer
from tests.support.openai_exchange import Exchange
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import require_error

pytestmark = pytest.mark.usefixtures("patient_deferral")

ASHA, RAVI = 21, 22


@pytest.fixture
def server(start_server: StartServer) -> RunningServer:
    """A server with a long deadline: the tests are not about speed, and may run on a busy machine."""
    return start_server(deadline_seconds=15.0)


def forget(organization: TestOrganization, contact_id: int = ASHA) -> ForgottenContact:
    app = organization.server.app
    with app.app_context():
        with transaction() as session:
            organization_id = store.find(session, organization.slug).id
        return contacts.forget(organization_id, contact_id)


def contact_ids(organization: TestOrganization) -> list[Any]:
    """Return the contact's id of each call, oldest first."""
    return [call["contact_id"] for call in reversed(organization.calls())]


def test_the_contact_is_removed_from_its_calls_alone(alice: TestOrganization, bob: TestOrganization) -> None:
    for organization in (alice, bob):
        create_call(organization, contact_id=ASHA)
        create_call(organization, "error", contact_id=RAVI)
        create_call(organization, "interrupted", contact_id=ASHA)
        create_call(organization)
    before = bob.calls()
    assert forget(alice) == ForgottenContact(calls=2, waiting=0)
    assert contact_ids(alice) == [None, RAVI, None, None]
    assert bob.calls() == before
    (entry,) = [line for line in lines(alice.server) if line.action == "contact_forgotten"]
    assert entry.detail == {"calls": 2}


def test_more_calls_than_a_batch_holds_are_all_changed(
    alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contacts, "BATCH_SIZE", 2)
    for _ in range(5):
        create_call(alice, contact_id=ASHA)
    assert forget(alice).calls == 5
    assert contact_ids(alice) == [None] * 5


def test_an_unknown_contact_and_that_of_another_organization_look_the_same(
    alice: TestOrganization, bob: TestOrganization
) -> None:
    create_call(bob, contact_id=ASHA)
    assert forget(alice, ASHA) == forget(alice, 999) == ForgottenContact(calls=0, waiting=0)
    assert [line.action for line in lines(alice.server) if line.action == "contact_forgotten"] == []


def test_the_content_of_failed_deliveries_is_deleted(alice: TestOrganization) -> None:
    failed = create_delivery(alice, "undelivered", status="error", contact_id=ASHA)
    others = create_delivery(alice, "undelivered", status="error", contact_id=RAVI)
    forget(alice)
    assert alice.delivery(failed).question is None
    assert alice.delivery(others).question == "ciphertext"


def test_limits_count_the_contact_from_zero_and_calls_without_a_contact_as_before(
    alice: TestOrganization,
) -> None:
    alice.change(contact_daily_limit=2)
    for _ in range(2):
        assert alice.ask(contact={"id": ASHA}).status_code == 200
    require_error(alice.ask(contact={"id": ASHA}), "contact_limit")
    assert alice.ask().status_code == 200
    forget(alice)
    assert [alice.ask(contact={"id": ASHA}).status_code for _ in range(3)] == [200, 200, 429]
    # The two forgotten calls are not calls without a contact.
    assert [alice.ask().status_code for _ in range(2)] == [200, 429]


def forgetting(organization: TestOrganization) -> Behaviour:
    """Forget the contact while OpenAI answers."""

    def behave(exchange: Exchange) -> None:
        assert forget(organization) == ForgottenContact(calls=0, waiting=1)
        assert contact_ids(organization) == [ASHA]
        answer("Salt.")(exchange)

    return behave


def test_a_waiting_answer_is_delivered_and_its_call_loses_the_contact_then(
    server_with_worker: RunningServer, glific: GlificStandIn, openai: OpenAIStandIn
) -> None:
    alice = create_connected_organization(server_with_worker, glific)
    openai.will(forgetting(alice))
    call_id = pending_call_id(alice.ask_deferred(contact=ASHA))
    assert alice.wait_for_delivery(call_id, 90).state == "delivered"
    assert resumed_result(glific, ASHA)["parsed_msg"] == "Salt."
    assert contact_ids(alice) == [None]


def test_a_call_in_progress_loses_the_contact_at_its_end(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.will(forgetting(alice))
    assert alice.ask(contact={"id": ASHA}).status_code == 200
    (call,) = alice.calls()
    assert (call["status"], call["contact_id"]) == ("ok", None)


def test_a_call_of_a_killed_process_loses_the_contact_when_it_is_marked(alice: TestOrganization) -> None:
    create_call(alice, "started", give_up_at=now() + timedelta(minutes=1), contact_id=ASHA)
    assert forget(alice).waiting == 1
    with time_machine.travel(now() + timedelta(minutes=2)):
        (call,) = alice.calls()
    assert (call["status"], call["contact_id"]) == ("interrupted", None)
