"""What the doctor says of the organization itself: its switch, its models, its budget, and who is let in."""

from decimal import Decimal

from glific_gpt.database import transaction
from glific_gpt.doctor import Verdict
from glific_gpt.doctor.budget import told
from glific_gpt.doctor.temporary_token import LABEL
from glific_gpt.organizations import store, tokens
from tests.doctor.conftest import Doctor, OpenDoctor
from tests.support.house import House, Ngo
from tests.support.openai_stand_in import OpenAIStandIn

PHRASE = "a phrase of alice and glific"


def test_an_organization_that_is_switched_off_gets_no_answer(doctor: Doctor, alice: Ngo) -> None:
    assert doctor.check("organization").verdict is Verdict.OK
    alice.change(is_active=False)
    found = doctor.check("organization")
    assert (found.verdict, found.sentence) == (
        Verdict.PROBLEM,
        "Alice is switched off: none of its calls is answered.",
    )
    assert found.command == "flask organizations activate alice"


def test_it_names_the_default_model_and_counts_the_others(doctor: Doctor, alice: Ngo) -> None:
    alice.change(allowed_models=["gpt-4o", "gpt-5", "o3"], default_model="gpt-4o")
    found = doctor.check("models")
    assert (found.verdict, found.sentence) == (
        Verdict.OK,
        "gpt-4o is the model of flows that name none; 3 text models may be used.",
    )


def test_a_default_model_that_is_not_allowed_is_a_problem(doctor: Doctor, alice: Ngo, house: House) -> None:
    alice.change(allowed_models=["gpt-4.1*"], default_model="gpt-4o")
    own = doctor.check("models")
    assert (own.verdict, own.command) == (Verdict.PROBLEM, "flask organizations set alice --default-model MODEL")
    assert "This organization's list of models does not allow gpt-4o" in own.sentence
    alice.change(allowed_models=None)
    house.allow_models(["gpt-4.1*"])
    assert "The administrators of this server do not allow gpt-4o" in doctor.check("models").sentence


def test_an_empty_list_of_models_is_a_problem(doctor: Doctor, alice: Ngo) -> None:
    alice.change(allowed_models=[])
    assert doctor.check("models").sentence == "No text model may be used."


def test_a_default_model_that_the_key_does_not_list_is_only_suspicious(
    doctor: Doctor, alice: Ngo, openai: OpenAIStandIn
) -> None:
    openai.models = ["gpt-4o-mini"]
    doctor.check("key")
    alice.change(default_model="gpt-4o")
    found = doctor.check("models")
    assert found.verdict is Verdict.WARNING
    assert found.sentence.startswith("OpenAI does not list gpt-4o")
    assert found.advice == "Choose another default model."


def test_a_budget_is_well_until_it_is_nearly_used(doctor: Doctor, alice: Ngo) -> None:
    assert doctor.check("budget").sentence == "No budget is set, so none can be used up."
    alice.ask(gpt_model="gpt-4o")
    spent = Decimal(str(alice.calls()[0]["cost_usd"]))
    for times, verdict in (("100", Verdict.OK), ("1.1", Verdict.WARNING), ("1", Verdict.PROBLEM)):
        alice.change(monthly_budget_usd=spent * Decimal(times))
        assert doctor.check("budget").verdict is verdict


def test_amounts_below_a_cent_are_told_apart() -> None:
    assert told(Decimal("0.0004"), Decimal("0.0005")) == ("0.0004", "0.0005")
    assert told(Decimal("0.996"), Decimal(1)) == ("0.996", "1.000")
    assert told(Decimal(0), Decimal(5)) == ("0.00", "5.00")
    assert told(Decimal("12.3456"), Decimal("12.3456")) == ("12.35", "12.35")


def test_tokens_or_a_phrase_or_both_let_calls_in(doctor: Doctor, alice: Ngo) -> None:
    assert doctor.check("signature").sentence == "Calls with a webhook token are let in."
    alice.set_phrase(PHRASE)
    assert doctor.check("signature").sentence.endswith("and calls that Glific signs.")
    alice.change(require_signature=True)
    assert doctor.check("signature").sentence == "Calls that Glific signs are let in, and no others."


def test_a_required_signature_without_a_phrase_lets_nobody_in(doctor: Doctor, alice: Ngo) -> None:
    alice.change(require_signature=True)
    found = doctor.check("signature")
    assert (found.verdict, found.command) == (Verdict.PROBLEM, "flask signature set alice --phrase-stdin")


def test_a_phrase_that_cannot_be_decrypted_is_as_bad_as_none_where_it_is_required(
    doctor_with: OpenDoctor, alice: Ngo
) -> None:
    alice.set_phrase(PHRASE)
    stranger = doctor_with(encryption_keys="A" * 43 + "=")
    assert stranger.check("signature").verdict is Verdict.WARNING
    alice.change(require_signature=True)
    assert stranger.check("signature").verdict is Verdict.PROBLEM


def test_without_token_and_phrase_nobody_is_let_in(doctor: Doctor, house: House, alice: Ngo) -> None:
    with house.app.app_context(), transaction() as session:
        row = store.find(session, "alice")
        for token in tokens.list_webhook_tokens(session, row):
            tokens.revoke_webhook_token(session, row, token.id)
        tokens.create_webhook_token(session, row, LABEL)
    found = doctor.check("signature")
    assert (found.verdict, found.command) == (Verdict.PROBLEM, "flask tokens create alice --label LABEL")
    assert doctor.examine()["call"].verdict is Verdict.SKIPPED
    alice.set_phrase(PHRASE)
    assert doctor.check("signature").sentence == "Calls that Glific signs are let in, and no others."
