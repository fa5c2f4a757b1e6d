"""What the doctor says of a key."""

from glific_gpt.doctor import Verdict
from tests.doctor.conftest import Doctor, OpenDoctor
from tests.support import openai_behaviours as behaviours
from tests.support.house import House, Ngo
from tests.support.openai_stand_in import OpenAIStandIn


def test_a_key_that_openai_accepts_is_good(doctor: Doctor, alice: Ngo, openai: OpenAIStandIn) -> None:
    found = doctor.check("key")
    assert (found.verdict, found.remedy) == (Verdict.OK, "")
    assert f"ends in {alice.key[-4:]}" in found.sentence
    assert [request.path for request in openai.requests] == ["/v1/models"]


def test_an_organization_without_a_key_is_told_to_add_one(doctor: Doctor, house: House) -> None:
    house.ngo("carol", key="")
    found = doctor.check("key", "carol")
    assert found.verdict is Verdict.PROBLEM
    assert found.advice.startswith("Add the organization's own key")
    assert found.command == "flask credentials set carol open_ai --api-key-stdin"


def test_a_key_that_is_switched_off_is_not_asked_about(doctor: Doctor, alice: Ngo, openai: OpenAIStandIn) -> None:
    alice.switch_key(on=False)
    found = doctor.check("key")
    assert (found.verdict, found.advice) == (Verdict.PROBLEM, "Switch it on.")
    assert found.command == "flask credentials activate alice open_ai"
    assert openai.requests == []


def test_a_key_that_openai_refuses_is_to_be_replaced(doctor: Doctor, alice: Ngo, openai: OpenAIStandIn) -> None:
    openai.for_models(behaviours.refuse_key())
    found = doctor.check("key")
    assert (found.verdict, found.error_code) == (Verdict.PROBLEM, "invalid_api_key")
    assert alice.key not in str(found)


def test_a_key_that_may_not_list_models_shows_by_a_question_whether_it_answers(
    doctor: Doctor, openai: OpenAIStandIn
) -> None:
    openai.for_models(behaviours.missing_scopes())
    found = doctor.examine()
    assert (found["key"].verdict, found["call"].verdict) == (Verdict.WARNING, Verdict.OK)
    assert "does not let the key" in found["key"].sentence
    assert "permission to list and to use models" in found["key"].advice
    openai.always(behaviours.missing_scopes())
    assert doctor.examine()["call"].error_code == "invalid_api_key"


def test_an_openai_that_is_away_says_nothing_against_the_key(doctor: Doctor, openai: OpenAIStandIn) -> None:
    openai.close()
    found = doctor.check("key")
    assert (found.verdict, found.error_code) == (Verdict.PROBLEM, "upstream_error")
    assert found.advice.startswith("Look again in a minute.")


def test_too_many_requests_of_one_minute_are_no_problem_of_the_key(doctor: Doctor, openai: OpenAIStandIn) -> None:
    openai.for_models(behaviours.rate_limit(retry_after="60"))
    assert doctor.check("key").verdict is Verdict.WARNING


def test_a_key_that_cannot_be_decrypted_is_to_be_entered_again(doctor_with: OpenDoctor, openai: OpenAIStandIn) -> None:
    found = doctor_with(encryption_keys="A" * 43 + "=").check("key")
    assert found.verdict is Verdict.PROBLEM
    assert "cannot be read" in found.sentence
    assert openai.requests == []


def test_credit_that_was_used_up_is_remembered_until_openai_answers(
    doctor: Doctor, alice: Ngo, openai: OpenAIStandIn
) -> None:
    openai.will(behaviours.out_of_credit())
    alice.ask()
    found = doctor.check("key")
    assert found.verdict is Verdict.WARNING
    assert "no credit left" in found.sentence
    alice.ask()
    assert doctor.check("key").verdict is Verdict.OK
