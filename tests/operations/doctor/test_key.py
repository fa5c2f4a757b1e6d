"""The check of the organization's key."""

from glific_gpt.operations.doctor import CheckStatus
from tests.operations.doctor.conftest import Doctor, OpenDoctor
from tests.support import openai_behaviours as behaviours
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization


def test_a_key_that_openai_accepts_is_ok(doctor: Doctor, alice: TestOrganization, openai: OpenAIStandIn) -> None:
    result = doctor.check("key")
    assert (result.status, result.remedy) == (CheckStatus.OK, "")
    assert f"ending in {alice.key[-4:]}" in result.message_text
    assert [request.path for request in openai.requests] == ["/v1/models"]


def test_a_missing_key_is_a_problem(doctor: Doctor, server: RunningServer) -> None:
    server.add_organization("carol", key="")
    result = doctor.check("key", "carol")
    assert result.status is CheckStatus.PROBLEM
    assert result.remedy_text.startswith("Add the organization's own key")
    assert result.command == "flask credentials set carol open_ai --api-key-stdin"


def test_a_key_that_is_switched_off_is_not_sent_to_openai(
    doctor: Doctor, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    alice.switch_key(on=False)
    result = doctor.check("key")
    assert (result.status, result.remedy_text) == (CheckStatus.PROBLEM, "Switch it on.")
    assert result.command == "flask credentials activate alice open_ai"
    assert openai.requests == []


def test_a_key_that_openai_refuses_is_a_problem(doctor: Doctor, alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.for_models(behaviours.refuse_key())
    result = doctor.check("key")
    assert (result.status, result.error_code) == (CheckStatus.PROBLEM, "invalid_api_key")
    assert alice.key not in str(result)


def test_a_key_that_may_not_list_models_is_a_warning(doctor: Doctor, openai: OpenAIStandIn) -> None:
    openai.for_models(behaviours.missing_scopes())
    results = doctor.run_checks()
    assert (results["key"].status, results["call"].status) == (CheckStatus.WARNING, CheckStatus.OK)
    assert "does not let the key" in results["key"].message_text
    assert "permission to list and to use models" in results["key"].remedy_text
    openai.always(behaviours.missing_scopes())
    assert doctor.run_checks()["call"].error_code == "invalid_api_key"


def test_an_unreachable_openai_is_a_problem(doctor: Doctor, openai: OpenAIStandIn) -> None:
    openai.close()
    result = doctor.check("key")
    assert (result.status, result.error_code) == (CheckStatus.PROBLEM, "upstream_error")
    assert result.remedy_text.startswith("Check again in a minute.")


def test_a_rate_limit_is_a_warning(doctor: Doctor, openai: OpenAIStandIn) -> None:
    openai.for_models(behaviours.rate_limit(retry_after="60"))
    assert doctor.check("key").status is CheckStatus.WARNING


def test_a_key_that_cannot_be_decrypted_is_a_problem(doctor_with: OpenDoctor, openai: OpenAIStandIn) -> None:
    result = doctor_with(encryption_keys="A" * 43 + "=").check("key")
    assert result.status is CheckStatus.PROBLEM
    assert (result.error_code, "administrators" in result.remedy_text) == ("not_ready", True)
    assert openai.requests == []


def test_missing_credit_is_a_warning_until_openai_answers(
    doctor: Doctor, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.will(behaviours.out_of_credit())
    alice.ask()
    result = doctor.check("key")
    assert result.status is CheckStatus.WARNING
    assert "no credit" in result.message_text
    alice.ask()
    assert doctor.check("key").status is CheckStatus.OK


def test_a_key_of_another_server_is_checked_there(
    doctor_with: OpenDoctor, alice: TestOrganization, openai: OpenAIStandIn, other_openai: OpenAIStandIn
) -> None:
    other_openai.models = ["Qwen/Qwen3-8B"]
    alice.server = (doctor := doctor_with(openai_hosts="127.0.0.1")).server
    alice.set_key("a-key-of-this-server", base_url=other_openai.base_url)
    key = doctor.check("key")
    assert (key.status, key.message_text) == (CheckStatus.OK, "The server 127.0.0.1 accepts the key ending in rver.")
    models = doctor.check("models")
    assert (models.status, models.message_text) == (
        CheckStatus.PROBLEM,
        "The server of this key, 127.0.0.1, does not list the default model gpt-4o.",
    )
    alice.change(default_model="Qwen/Qwen3-8B")
    assert doctor.check("models").message_text == "The default model is Qwen/Qwen3-8B. 1 text models are allowed."
    assert openai.requests == []
