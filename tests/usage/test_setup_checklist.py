"""The setup checklist: each step is complete only after it was done."""

from dataclasses import astuple
from datetime import timedelta

from glific_gpt.calls.pruning import prune
from glific_gpt.clock import now
from glific_gpt.usage.setup_checklist import SetupChecklist, build_checklist
from tests.support.call_records import create_call
from tests.support.server import RunningServer, TestOrganization
from tests.usage.reading import read_usage


def checklist_of(test_organization: TestOrganization) -> SetupChecklist:
    operator = test_organization.server.services.settings.models
    return read_usage(
        test_organization, lambda session, organization, key: build_checklist(session, organization, key, operator)
    )


def test_a_new_organization_has_done_nothing_except_that_models_are_allowed(server: RunningServer) -> None:
    new = server.add_organization("new", key="")
    assert checklist_of(new) == SetupChecklist(key=False, model=True, test=False, flow=False, call=False)


def test_an_answer_to_a_webhook_call_is_the_last_step(alice: TestOrganization) -> None:
    assert not checklist_of(alice).is_complete
    alice.ask()
    assert checklist_of(alice).is_complete
    assert all(astuple(checklist_of(alice)))


def test_a_test_question_is_no_message_from_glific(alice: TestOrganization) -> None:
    create_call(alice, is_test=True, flow_id=5)
    create_call(alice)  # of a release that did not record it: without ids of Glific
    assert checklist_of(alice) == SetupChecklist(key=True, model=True, test=True, flow=False, call=False)
    create_call(alice, flow_id=5)
    assert checklist_of(alice).is_complete


def test_a_failed_call_shows_that_the_flow_is_in_glific_and_nothing_else(alice: TestOrganization) -> None:
    alice.ask("")
    for status in ("error", "interrupted", "started", "pending"):
        create_call(alice, status, is_test=False)
    assert checklist_of(alice) == SetupChecklist(key=True, model=True, test=False, flow=True, call=False)


def test_the_totals_of_deleted_calls_complete_the_steps(alice: TestOrganization) -> None:
    create_call(alice, at=now() - timedelta(days=3))
    with alice.server.app.app_context():
        assert list(prune(now() - timedelta(days=1))) == [1]
    assert checklist_of(alice).is_complete


def test_an_inactive_key_leaves_its_step_open(alice: TestOrganization) -> None:
    alice.switch_key(on=False)
    assert not checklist_of(alice).key


def test_an_allowlist_without_a_text_model_leaves_its_step_open(alice: TestOrganization) -> None:
    for patterns in ([], ["whisper-*"], ["no-such-model"]):
        alice.change(allowed_models=patterns)
        assert not checklist_of(alice).model
    alice.change(allowed_models=["gpt-4o*"])
    assert checklist_of(alice).model


def test_the_checklist_ignores_other_organizations(server: RunningServer, bob: TestOrganization) -> None:
    alice = server.add_organization("alice", key="")
    bob.ask()
    assert checklist_of(bob).is_complete
    assert checklist_of(alice) == SetupChecklist(key=False, model=True, test=False, flow=False, call=False)
