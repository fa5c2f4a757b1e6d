"""Organizations side by side: nothing of one is ever used for another, and none stands in another's way."""

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
"""Of each, for the same contact in the same flow."""


@pytest.fixture
def others(glific: GlificStandIn) -> Iterator[dict[str, GlificStandIn]]:
    """The Glific of each, by slug."""
    with ExitStack() as stack:
        yield {"alice": glific, "bob": stack.enter_context(GlificStandIn())}


def add_organizations(server: RunningServer, others: dict[str, GlificStandIn]) -> dict[str, TestOrganization]:
    all_organizations = {slug: server.add_organization(slug) for slug in others}
    for slug, organization in all_organizations.items():
        organization.connect(others[slug])
    return all_organizations


def test_each_organization_uses_its_own_key_and_glific(
    server: RunningServer, others: dict[str, GlificStandIn], openai: OpenAIStandIn
) -> None:
    openai.always(echo())
    all_organizations = add_organizations(server, others)
    calls = {
        pending_call_id(organization.ask_deferred(question_text=f"{slug} {number}")): organization
        for number in range(CALLS_PER_ORGANIZATION)
        for slug, organization in all_organizations.items()
    }
    start_worker_in_process(server)
    assert {organization.wait_for_delivery(call_id).state for call_id, organization in calls.items()} == {"delivered"}
    for slug, glific in others.items():
        resumed = glific.resumptions
        assert {each.result["call_id"] for each in resumed} == {
            c for c, organization in calls.items() if organization.slug == slug
        }
        heard = [Echo.read(str(each.result["parsed_msg"])) for each in resumed]
        assert {each.last4 for each in heard} == {all_organizations[slug].key[-4:]}
        assert sorted(each.question for each in heard) == [
            f"{slug} {number}" for number in range(CALLS_PER_ORGANIZATION)
        ]


def test_an_inactive_key_and_a_failing_glific_do_not_affect_another_organization(
    server: RunningServer, others: dict[str, GlificStandIn], openai: OpenAIStandIn
) -> None:
    all_organizations = add_organizations(server, others)
    others["alice"].always(server_error())
    alices, bobs = (
        pending_call_id(all_organizations["alice"].ask_deferred()),
        pending_call_id(all_organizations["bob"].ask_deferred()),
    )
    all_organizations["alice"].switch_key(on=False)
    start_worker_in_process(server)
    assert all_organizations["bob"].wait_for_delivery(bobs).state == "delivered"
    assert others["bob"].resumptions[0].result["status"] == "ok"
    wait_until(lambda: all_organizations["alice"].delivery(alices).attempts >= 1)
    others["alice"].reset()
    assert all_organizations["alice"].wait_for_delivery(alices).state == "delivered"
    assert others["alice"].resumptions[0].result["error_code"] == "credential_inactive"
    assert {asked.api_key for asked in openai.requests} == {all_organizations["bob"].key}


def test_one_organization_cannot_use_all_slots(
    start_server: StartServer, others: dict[str, GlificStandIn], openai: OpenAIStandIn
) -> None:
    server = start_server(with_worker=True, max_deferred_calls=3, max_deferred_calls_per_organization=2)
    all_organizations = add_organizations(server, others)
    openai.for_key(all_organizations["alice"].key, never_respond())
    alices = [pending_call_id(all_organizations["alice"].ask_deferred()) for _ in range(CALLS_PER_ORGANIZATION)]
    wait_until(lambda: len(openai.requests) == 2)
    call_id = pending_call_id(all_organizations["bob"].ask_deferred())
    assert all_organizations["bob"].wait_for_delivery(call_id, seconds=5).state == "delivered"
    assert len([asked for asked in openai.requests if asked.api_key == all_organizations["alice"].key]) == 2
    openai.reset()
    assert {all_organizations["alice"].wait_for_delivery(each).state for each in alices} == {"delivered"}
