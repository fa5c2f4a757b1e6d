"""Isolation of organizations: each uses its own key and Glific, and none blocks another."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.conftest import StartServer
from tests.support.deferred import pending_call_id, start_worker_in_process, wait_until
from tests.support.glific_behaviours import server_error
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import Echo, echo, never_respond
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

pytestmark = pytest.mark.both_databases

CALLS_PER_ORGANIZATION = 4
"""Calls of each organization, for the same contact in the same flow."""


@pytest.fixture
def glific_by_slug(glific: GlificStandIn) -> Iterator[dict[str, GlificStandIn]]:
    """The Glific of each organization, by slug."""
    with ExitStack() as stack:
        yield {"alice": glific, "bob": stack.enter_context(GlificStandIn())}


def add_organizations(server: RunningServer, glific_by_slug: dict[str, GlificStandIn]) -> dict[str, TestOrganization]:
    organizations = {slug: server.add_organization(slug) for slug in glific_by_slug}
    for slug, organization in organizations.items():
        organization.connect(glific_by_slug[slug])
    return organizations


def test_each_organization_uses_its_own_key_and_glific(
    server: RunningServer, glific_by_slug: dict[str, GlificStandIn], openai: OpenAIStandIn
) -> None:
    openai.always(echo())
    organizations = add_organizations(server, glific_by_slug)
    calls = {
        pending_call_id(organization.ask_deferred(question_text=f"{slug} {number}")): organization
        for number in range(CALLS_PER_ORGANIZATION)
        for slug, organization in organizations.items()
    }
    start_worker_in_process(server)
    assert {organization.wait_for_delivery(call_id).state for call_id, organization in calls.items()} == {"delivered"}
    for slug, glific in glific_by_slug.items():
        resumptions = glific.resumptions
        assert {each.result["call_id"] for each in resumptions} == {
            call_id for call_id, organization in calls.items() if organization.slug == slug
        }
        echoes = [Echo.read(str(each.result["parsed_msg"])) for each in resumptions]
        assert {each.last4 for each in echoes} == {organizations[slug].key[-4:]}
        assert sorted(each.question for each in echoes) == [
            f"{slug} {number}" for number in range(CALLS_PER_ORGANIZATION)
        ]


def test_an_inactive_key_and_a_failing_glific_do_not_affect_another_organization(
    server: RunningServer, glific_by_slug: dict[str, GlificStandIn], openai: OpenAIStandIn
) -> None:
    organizations = add_organizations(server, glific_by_slug)
    glific_by_slug["alice"].always(server_error())
    alice_call_id, bob_call_id = (
        pending_call_id(organizations["alice"].ask_deferred()),
        pending_call_id(organizations["bob"].ask_deferred()),
    )
    organizations["alice"].switch_key(on=False)
    start_worker_in_process(server)
    assert organizations["bob"].wait_for_delivery(bob_call_id).state == "delivered"
    assert glific_by_slug["bob"].resumptions[0].result["status"] == "ok"
    wait_until(lambda: organizations["alice"].delivery(alice_call_id).attempts >= 1)
    glific_by_slug["alice"].reset()
    assert organizations["alice"].wait_for_delivery(alice_call_id).state == "delivered"
    assert glific_by_slug["alice"].resumptions[0].result["error_code"] == "credential_inactive"
    assert {request.api_key for request in openai.requests} == {organizations["bob"].key}


def test_one_organization_cannot_use_all_slots(
    start_server: StartServer, glific_by_slug: dict[str, GlificStandIn], openai: OpenAIStandIn
) -> None:
    server = start_server(with_worker=True, max_deferred_calls=3, max_deferred_calls_per_organization=2)
    organizations = add_organizations(server, glific_by_slug)
    openai.for_key(organizations["alice"].key, never_respond())
    alice_call_ids = [pending_call_id(organizations["alice"].ask_deferred()) for _ in range(CALLS_PER_ORGANIZATION)]
    wait_until(lambda: len(openai.requests) == 2)
    call_id = pending_call_id(organizations["bob"].ask_deferred())
    assert organizations["bob"].wait_for_delivery(call_id, seconds=5).state == "delivered"
    assert len([request for request in openai.requests if request.api_key == organizations["alice"].key]) == 2
    openai.reset()
    assert {organizations["alice"].wait_for_delivery(each).state for each in alice_call_ids} == {"delivered"}
