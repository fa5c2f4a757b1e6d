"""All checks together: their order, skipped checks, and the evaluation of the results."""

import pytest

from glific_gpt.errors import NotFound
from glific_gpt.operations.doctor import TITLES, CheckStatus, is_private_only, run_checks, would_answer
from tests.operations.doctor.conftest import Doctor, OpenDoctor
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization


def test_all_checks_of_a_working_organization_are_ok(doctor: Doctor) -> None:
    results = doctor.run_checks()
    assert list(results) == list(TITLES)
    statuses = {name: result.status for name, result in results.items()}
    # The address of a test server is private, and the stand-in for OpenAI sends no date.
    assert statuses.pop("address") is CheckStatus.WARNING
    assert statuses.pop("clock") is CheckStatus.SKIPPED
    assert set(statuses.values()) == {CheckStatus.OK}
    assert would_answer(results.values())


def test_a_server_in_a_private_network_is_reported(doctor: Doctor) -> None:
    results = doctor.run_checks(dry_run=True)
    assert is_private_only(results.values())
    assert not is_private_only(result for result in results.values() if result.check != "address")


def test_a_dry_run_sends_no_question(doctor: Doctor, alice: TestOrganization, openai: OpenAIStandIn) -> None:
    results = doctor.run_checks(dry_run=True)
    assert (results["call"].status, results["call"].message_text) == (
        CheckStatus.SKIPPED,
        "Not checked: no question is sent in this check.",
    )
    assert would_answer(results.values())
    assert {request.path for request in openai.requests} == {"/v1/models"}
    assert alice.calls() == []


def test_a_skipped_check_names_the_problem_to_fix_first(
    doctor: Doctor, server: RunningServer, openai: OpenAIStandIn
) -> None:
    server.add_organization("carol", key="")
    results = doctor.run_checks("carol")
    assert results["call"].status is CheckStatus.SKIPPED
    assert results["call"].message_text == 'Not checked. Fix "OpenAI key" first.'
    assert not would_answer(results.values())
    assert openai.requests == [request for request in openai.requests if request.api_key is None]


def test_each_result_comes_before_the_next_check_runs(doctor: Doctor, openai: OpenAIStandIn) -> None:
    with doctor.server.app.app_context():
        assert next(run_checks("alice")).check == "organization"
    assert openai.requests == []


def test_an_unknown_organization_is_not_found(doctor: Doctor) -> None:
    for slug in ("nobody", "../alice", ""):
        with pytest.raises(NotFound):
            doctor.run_checks(slug)


def test_no_result_contains_a_secret(doctor: Doctor, doctor_with: OpenDoctor, alice: TestOrganization) -> None:
    alice.set_phrase("a phrase of alice and glific")
    text = str(doctor.run_checks()) + str(doctor_with(encryption_keys="A" * 43 + "=").run_checks())
    for secret in (alice.key, alice.token, "a phrase of alice", "ggw_"):
        assert secret not in text


def test_all_placeholders_are_filled(doctor: Doctor) -> None:
    for result in doctor.run_checks().values():
        assert "%(" not in result.message_text + result.remedy_text
        assert result.message_text.endswith(".")
