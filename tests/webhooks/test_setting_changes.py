"""Changed settings apply to the next call, because no settings are cached between calls."""

from glific_gpt.database import transaction
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations.credentials import store as credentials
from tests.conftest import StartServer
from tests.support.openai_behaviours import echo
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization
from tests.webhooks.assertions import require_error, require_ok


def test_an_inactive_key_is_not_used_until_it_is_active(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    for _ in range(2):
        require_ok(alice.ask())
        alice.switch_key(on=False)
        openai.reset()
        require_error(alice.ask(), "credential_inactive")
        assert openai.requests == []
        alice.switch_key(on=True)


def test_a_replaced_key_is_not_used_again(
    alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn
) -> None:
    require_ok(alice.ask())
    alice.set_key("sk-proj-alices-new-key-7777")
    require_ok(alice.ask())
    assert [request.api_key for request in openai.requests[1:]] == ["sk-proj-alices-new-key-7777"]
    alice.set_key("sk-proj-alices-new-key-8888", is_active=False)
    require_error(alice.ask(), "credential_inactive")
    require_ok(bob.ask())
    assert openai.requests[-1].api_key == bob.key


def test_a_deleted_key_is_missing(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    require_ok(alice.ask())
    with alice.server.app.app_context(), transaction() as session:
        organization = organizations.find(session, "alice")
        credentials.delete(session, organization.id, alice.server.services.model_provider)
    openai.reset()
    require_error(alice.ask(), "credential_missing")
    assert openai.requests == []


def test_an_inactive_organization_gets_no_answers(
    alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn
) -> None:
    require_ok(alice.ask())
    alice.change(is_active=False, fallback_message="We are closed.")
    openai.reset()
    require_error(alice.ask(), "organization_inactive", "We are closed.")
    assert openai.requests == []
    require_ok(bob.ask())
    alice.change(is_active=True)
    require_ok(alice.ask())


def test_a_change_applies_to_every_process(
    alice: TestOrganization, start_server: StartServer, openai: OpenAIStandIn
) -> None:
    openai.always(echo())
    other_alice = TestOrganization(start_server(), "alice", alice.token, alice.key)
    assert f"key={alice.key[-4:]}" in require_ok(other_alice.ask())
    alice.set_key("sk-proj-alices-new-key-7777")
    assert "key=7777" in require_ok(other_alice.ask())
    alice.switch_key(on=False)
    require_error(other_alice.ask(), "credential_inactive")


def test_each_organization_uses_its_own_key(
    alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn
) -> None:
    for _ in range(3):
        for organization in (alice, bob):
            require_ok(organization.ask())
            assert openai.requests[-1].api_key == organization.key
            headers = openai.requests[-1].headers
            other = bob if organization is alice else alice
            assert not any(other.key in value for value in headers.values())
            assert "openai-organization" not in headers


def test_the_servers_allowlist_applies_to_the_next_call(
    alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn
) -> None:
    require_ok(alice.ask(gpt_model="o3"))
    alice.server.allow_models(["gpt-4o*"])
    for organization in (alice, bob):
        refusal = require_error(organization.ask(gpt_model="o3"), "model_not_allowed")
        assert "The administrators of this server do not allow o3" in refusal["error"]
        require_ok(organization.ask(gpt_model="gpt-4o-mini"))
    alice.server.allow_models([])
    require_error(alice.ask(), "model_not_allowed")
    alice.server.allow_models(None)
    require_ok(alice.ask(gpt_model="o3"))
    assert len(openai.requests) == 4
