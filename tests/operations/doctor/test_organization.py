"""The checks of the organization's settings: active, models, budget and authentication."""

from decimal import Decimal

from glific_gpt.database import transaction
from glific_gpt.operations.doctor import CheckStatus
from glific_gpt.operations.doctor.organization import format_amounts
from glific_gpt.operations.doctor.temporary_token import LABEL
from glific_gpt.organizations import store, tokens
from tests.operations.doctor.conftest import Doctor, OpenDoctor
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

PHRASE = "a phrase of alice and glific"


def test_an_organization_that_is_switched_off_is_a_problem(doctor: Doctor, alice: TestOrganization) -> None:
    assert doctor.check("organization").status is CheckStatus.OK
    alice.change(is_active=False)
    result = doctor.check("organization")
    assert (result.status, result.message_text) == (
        CheckStatus.PROBLEM,
        "Alice is switched off, so its flows get no answers.",
    )
    assert result.command == "flask organizations activate alice"


def test_it_names_the_default_model_and_counts_the_allowed_ones(doctor: Doctor, alice: TestOrganization) -> None:
    alice.change(allowed_models=["gpt-4o", "gpt-5", "o3"], default_model="gpt-4o")
    result = doctor.check("models")
    assert (result.status, result.message_text) == (
        CheckStatus.OK,
        "The default model is gpt-4o. 3 text models are allowed.",
    )


def test_a_default_model_that_is_not_allowed_is_a_problem(
    doctor: Doctor, alice: TestOrganization, server: RunningServer
) -> None:
    alice.change(allowed_models=["gpt-4.1*"], default_model="gpt-4o")
    own = doctor.check("models")
    assert (own.status, own.command) == (CheckStatus.PROBLEM, "flask organizations set alice --default-model MODEL")
    assert "This organization's list of models does not allow gpt-4o" in own.message_text
    alice.change(allowed_models=None)
    server.allow_models(["gpt-4.1*"])
    assert "The administrators of this server do not allow gpt-4o" in doctor.check("models").message_text


def test_an_empty_list_of_models_is_a_problem(doctor: Doctor, alice: TestOrganization) -> None:
    alice.change(allowed_models=[])
    assert doctor.check("models").message_text == "No text model is allowed."


def test_a_default_model_that_the_key_does_not_list_is_a_warning(
    doctor: Doctor, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.models = ["gpt-4o-mini"]
    doctor.check("key")
    alice.change(default_model="gpt-4o")
    result = doctor.check("models")
    assert result.status is CheckStatus.WARNING
    assert result.message_text.startswith("OpenAI does not list the default model gpt-4o")
    assert result.remedy_text == "Choose another default model."


def test_a_fallback_model_that_would_not_answer_is_a_warning(
    doctor: Doctor, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    alice.change(fallback_model="gpt-4.1-mini", allowed_models=["gpt-4o"])
    refused = doctor.check("models")
    assert (refused.status, refused.remedy_text) == (
        CheckStatus.WARNING,
        "Choose another fallback model, or allow this one.",
    )
    assert refused.message_text.startswith("This organization's list of models does not allow gpt-4.1-mini.")
    alice.change(allowed_models=None)
    assert doctor.check("models").status is CheckStatus.OK
    openai.models = ["gpt-4o"]
    doctor.check("key")
    unlisted = doctor.check("models")
    assert unlisted.message_text == "OpenAI does not list the fallback model gpt-4.1-mini for this key."
    assert unlisted.command == "flask organizations set alice --fallback-model MODEL"


def test_a_budget_is_ok_until_it_is_nearly_used(doctor: Doctor, alice: TestOrganization) -> None:
    assert doctor.check("budget").message_text == "No monthly budget is set."
    alice.ask(gpt_model="gpt-4o")
    spent = Decimal(str(alice.calls()[0]["cost_usd"]))
    for times, status in (("100", CheckStatus.OK), ("1.1", CheckStatus.WARNING), ("1", CheckStatus.PROBLEM)):
        alice.change(monthly_budget_usd=spent * Decimal(times))
        assert doctor.check("budget").status is status


def test_amounts_below_a_cent_are_distinguished() -> None:
    assert format_amounts(Decimal("0.0004"), Decimal("0.0005")) == ("0.0004", "0.0005")
    assert format_amounts(Decimal("0.996"), Decimal(1)) == ("0.996", "1.000")
    assert format_amounts(Decimal(0), Decimal(5)) == ("0.00", "5.00")
    assert format_amounts(Decimal("12.3456"), Decimal("12.3456")) == ("12.35", "12.35")


def test_tokens_or_signature_or_both_are_accepted(doctor: Doctor, alice: TestOrganization) -> None:
    assert doctor.check("signature").message_text == "Calls with a webhook token are accepted."
    alice.set_phrase(PHRASE)
    assert doctor.check("signature").message_text.startswith("Calls with a webhook token, and calls that Glific signs,")
    alice.change(require_signature=True)
    assert doctor.check("signature").message_text == "Only calls that Glific signs are accepted."


def test_a_required_signature_without_a_phrase_is_a_problem(doctor: Doctor, alice: TestOrganization) -> None:
    alice.change(require_signature=True)
    result = doctor.check("signature")
    assert (result.status, result.command) == (CheckStatus.PROBLEM, "flask signature set alice --phrase-stdin")


def test_a_phrase_that_cannot_be_decrypted_is_a_problem_if_required(
    doctor_with: OpenDoctor, alice: TestOrganization
) -> None:
    alice.set_phrase(PHRASE)
    stranger = doctor_with(encryption_keys="A" * 43 + "=")
    assert stranger.check("signature").status is CheckStatus.WARNING
    alice.change(require_signature=True)
    assert stranger.check("signature").status is CheckStatus.PROBLEM


def test_no_authentication_method_is_a_problem(doctor: Doctor, server: RunningServer, alice: TestOrganization) -> None:
    with server.app.app_context(), transaction() as session:
        row = store.find(session, "alice")
        for token in tokens.list_webhook_tokens(session, row):
            tokens.revoke_webhook_token(session, row, token.id)
        tokens.create_webhook_token(session, row, LABEL)
    result = doctor.check("signature")
    assert (result.status, result.command) == (CheckStatus.PROBLEM, "flask tokens create alice --label LABEL")
    assert doctor.run_checks()["call"].status is CheckStatus.SKIPPED
    alice.set_phrase(PHRASE)
    assert doctor.check("signature").message_text == "Only calls that Glific signs are accepted."
