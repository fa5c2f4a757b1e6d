"""The steps to the first answer: each is done when it is done, and not before."""

from dataclasses import astuple

from glific_gpt.database import transaction
from glific_gpt.organizations import store, tokens
from glific_gpt.usage.setup_checklist import SetupChecklist, build_checklist
from tests.support.house import House, Ngo
from tests.support.recorded import record
from tests.usage.reading import read


def steps(ngo: Ngo) -> SetupChecklist:
    operator = ngo.house.services.settings.models
    return read(ngo, lambda session, organization, key: build_checklist(session, organization, key, operator))


def revoke_all(ngo: Ngo) -> None:
    with ngo.house.app.app_context(), transaction() as session:
        organization = store.find(session, ngo.slug)
        for token in tokens.list_webhook_tokens(session, organization):
            tokens.revoke_webhook_token(session, organization, token.id)


def test_a_new_organization_has_its_token_and_may_use_models(house: House) -> None:
    new = house.ngo("new", key="")
    assert steps(new) == SetupChecklist(key=False, model=True, token=True, call=False)


def test_the_first_answer_is_the_last_step(alice: Ngo) -> None:
    assert not steps(alice).done
    alice.ask()
    assert steps(alice).done
    assert all(astuple(steps(alice)))


def test_a_call_that_failed_is_no_answer(alice: Ngo) -> None:
    for status in ("error", "interrupted", "started", "pending"):
        record(alice, status)
    assert not steps(alice).call


def test_a_key_that_is_switched_off_is_a_step_to_take(alice: Ngo) -> None:
    alice.switch_key(on=False)
    assert not steps(alice).key


def test_a_list_that_allows_no_text_model_is_a_step_to_take(alice: Ngo) -> None:
    for patterns in ([], ["whisper-*"], ["no-such-model"]):
        alice.change(allowed_models=patterns)
        assert not steps(alice).model
    alice.change(allowed_models=["gpt-4o*"])
    assert steps(alice).model


def test_without_a_token_there_is_no_way_in(alice: Ngo) -> None:
    revoke_all(alice)
    assert not steps(alice).token


def test_bobs_steps_are_not_alices(house: House, bob: Ngo) -> None:
    alice = house.ngo("alice", key="")
    revoke_all(alice)
    bob.ask()
    assert steps(bob).done
    assert steps(alice) == SetupChecklist(key=False, model=True, token=False, call=False)
