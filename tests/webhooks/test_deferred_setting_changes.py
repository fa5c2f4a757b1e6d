"""Settings are read again when OpenAI is asked, not when the call was accepted."""

import pytest

from glific_gpt.database import transaction
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations.connections import store as connections
from tests.support.deferred import find_call, pending_call_id, resumed_result, start_worker_in_process
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import echo
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import ERROR_CODES

CONTACTS = {"alice": 1, "bob": 2, "charlie": 3}
"""The contact of each organization, by slug."""


@pytest.fixture
def queued_calls(server: RunningServer, glific: GlificStandIn) -> dict[str, tuple[TestOrganization, str]]:
    """An organization and the id of its queued call, by slug."""
    organizations_by_slug = {
        slug: server.add_organization(slug, fallback_message=f"Sorry from {slug}.") for slug in CONTACTS
    }
    for organization in organizations_by_slug.values():
        organization.connect(glific)
    return {
        slug: (organization, pending_call_id(organization.ask_deferred(contact=CONTACTS[slug])))
        for slug, organization in organizations_by_slug.items()
    }


def test_it_checks_key_organization_and_model_again_before_asking_openai(
    queued_calls: dict[str, tuple[TestOrganization, str]],
    server: RunningServer,
    openai: OpenAIStandIn,
    glific: GlificStandIn,
) -> None:
    queued_calls["alice"][0].switch_key(on=False)
    queued_calls["bob"][0].change(is_active=False)
    queued_calls["charlie"][0].change(allowed_models=["gpt-4o-mini"])
    start_worker_in_process(server)
    codes = {"alice": "credential_inactive", "bob": "organization_inactive", "charlie": "model_not_allowed"}
    for slug, (organization, call_id) in queued_calls.items():
        assert organization.wait_for_delivery(call_id).state == "delivered"
        body, row = resumed_result(glific, CONTACTS[slug]), find_call(organization, call_id)
        assert (body["error_code"], body["error_class"]) == (codes[slug], ERROR_CODES[codes[slug]][1])
        assert body["parsed_msg"] == f"Sorry from {slug}."
        assert (row["status"], row["error_code"], row["cost_usd"]) == ("error", codes[slug], None)
    assert openai.requests == []


def test_it_asks_with_the_current_key(
    queued_calls: dict[str, tuple[TestOrganization, str]],
    server: RunningServer,
    openai: OpenAIStandIn,
    glific: GlificStandIn,
) -> None:
    openai.always(echo())
    queued_calls["alice"][0].set_key("sk-proj-alices-new-key-7777")
    start_worker_in_process(server)
    for organization, call_id in queued_calls.values():
        organization.wait_for_delivery(call_id)
    for slug, (organization, _) in queued_calls.items():
        assert resumed_result(glific, CONTACTS[slug])["parsed_msg"].startswith(f"key={organization.key[-4:]} ")


def test_a_key_that_is_active_again_is_used(
    queued_calls: dict[str, tuple[TestOrganization, str]], server: RunningServer, glific: GlificStandIn
) -> None:
    alice, call_id = queued_calls["alice"]
    alice.switch_key(on=False)
    alice.switch_key(on=True)
    start_worker_in_process(server)
    alice.wait_for_delivery(call_id)
    assert resumed_result(glific, 1)["status"] == "ok"


def test_an_answer_is_undelivered_if_the_organization_was_disconnected(
    queued_calls: dict[str, tuple[TestOrganization, str]], server: RunningServer, glific: GlificStandIn
) -> None:
    alice, call_id = queued_calls["alice"]
    with server.app.app_context(), transaction() as session:
        connections.disconnect(session, organizations.find(session, "alice").id)
    start_worker_in_process(server)
    row = alice.wait_for_delivery(call_id)
    assert row.state == "undelivered"
    assert "not connected to Glific" in str(row.last_response)
    assert (find_call(alice, call_id)["status"], find_call(alice, call_id)["error_code"]) == ("error", "undelivered")
    bob, bob_call_id = queued_calls["bob"]
    assert bob.wait_for_delivery(bob_call_id).state == "delivered"
