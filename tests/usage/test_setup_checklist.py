"""The setup checklist: each step is complete only after it was done."""

from dataclasses import astuple

from glific_gpt.database import transaction
from glific_gpt.organizations import store, tokens
from glific_gpt.usage.setup_checklist import SetupChecklist, build_checklist
from tests.support.call_records import create_call
from tests.support.server import RunningServer, TestOrganization
from tests.usage.reading import read_usage


def checklist_of(test_organization: TestOrganization) -> SetupChecklist:
    operator = test_organization.server.services.settings.models
    return read_usage(
        test_organization, lambda session, organization, key: build_checklist(session, organization, key, operator)
    )


def revoke_all(test_organization: TestOrganization) -> None:
    with test_organization.server.app.app_context(), transaction() as session:
        organization = store.find(session, test_organization.slug)
        for token in tokens.list_webhook_tokens(session, organization):
            tokens.revoke_webhook_token(session, organization, token.id)


def test_a_new_organization_has_a_token_and_allowed_models(server: RunningServer) -> None:
    new = server.add_organization("new", key="")
    assert checklist_of(new) == SetupChecklist(key=False, model=True, token=True, call=False)


def test_the_first_answer_is_the_last_step(alice: TestOrganization) -> None:
    assert not checklist_of(alice).is_complete
    alice.ask()
    assert checklist_of(alice).is_complete
    assert all(astuple(checklist_of(alice)))


def test_a_failed_call_does_not_complete_the_last_step(alice: TestOrganization) -> None:
    for status in ("error", "interrupted", "started", "pending"):
        create_call(alice, status)
    assert not checklist_of(alice).call


def test_an_inactive_key_leaves_its_step_open(alice: TestOrganization) -> None:
    alice.switch_key(on=False)
    assert not checklist_of(alice).key


def test_an_allowlist_without_a_text_model_leaves_its_step_open(alice: TestOrganization) -> None:
    for patterns in ([], ["whisper-*"], ["no-such-model"]):
        alice.change(allowed_models=patterns)
        assert not checklist_of(alice).model
    alice.change(allowed_models=["gpt-4o*"])
    assert checklist_of(alice).model


def test_a_missing_token_leaves_its_step_open(alice: TestOrganization) -> None:
    revoke_all(alice)
    assert not checklist_of(alice).token


def test_the_checklist_ignores_other_organizations(server: RunningServer, bob: TestOrganization) -> None:
    alice = server.add_organization("alice", key="")
    revoke_all(alice)
    bob.ask()
    assert checklist_of(bob).is_complete
    assert checklist_of(alice) == SetupChecklist(key=False, model=True, token=False, call=False)
