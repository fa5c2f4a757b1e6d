"""Routes of credentials."""

import pytest

from tests.api.client import Client, assert_problem
from tests.support.house import House, Ngo
from tests.support.openai_errors import refuse_key
from tests.support.openai_stand_in import OpenAIStandIn

KEY = "sk-proj-carol-9876543210-WXYZ"
OF_ALICE = "/organizations/alice/credentials/open_ai"
OF_CAROL = "/organizations/carol/credentials/open_ai"


@pytest.fixture
def carol(house: House) -> Ngo:
    """An organization without a key."""
    return house.ngo("carol", "")


def test_it_saves_a_key_that_openai_accepts(administrator: Client, carol: Ngo, openai: OpenAIStandIn) -> None:
    answer = administrator.put(OF_CAROL, {"api_key": KEY})
    body = answer.json()
    assert answer.status_code == 201
    assert (body["provider"], body["is_active"], body["last4"]) == ("open_ai", True, "WXYZ")
    assert body["verified_at"].endswith("Z")
    assert [(sent.path, sent.api_key) for sent in openai.requests] == [("/v1/models", KEY)]
    assert carol.ask().status_code == 200


def test_it_replaces_a_key(alices: Client, alice: Ngo, openai: OpenAIStandIn) -> None:
    answer = alices.put(OF_ALICE, {"api_key": f" {KEY}\n", "verify": False, "is_active": True})
    assert (answer.status_code, answer.json()["last4"]) == (200, "WXYZ")
    assert alices.get(OF_ALICE).json() == answer.json()
    alice.ask()
    assert [sent.api_key for sent in openai.requests] == [KEY]


def test_a_key_that_is_not_verified_is_saved_without_asking(
    administrator: Client, carol: Ngo, openai: OpenAIStandIn
) -> None:
    body = administrator.put(OF_CAROL, {"api_key": KEY, "verify": False, "is_active": False}).json()
    assert (body["verified_at"], body["is_active"]) == (None, False)
    assert openai.requests == []
    assert carol.ask().json()["error_code"] == "credential_inactive"


def test_a_key_that_openai_refuses_is_not_saved(alices: Client, openai: OpenAIStandIn) -> None:
    before = alices.get(OF_ALICE).json()
    openai.for_key(KEY, refuse_key())
    answer = alices.put(OF_ALICE, {"api_key": KEY})
    assert_problem(answer, 422, "credential_not_verified", "Nothing was saved")
    assert alices.get(OF_ALICE).json() == before


WRONG_BODIES: tuple[dict[str, object], ...] = (
    {},
    {"api_key": ""},
    {"api_key": "short"},
    {"api_key": f"{KEY} {KEY}"},
    {"api_key": f"{KEY}\x00"},
    {"api_key": KEY * 100},
    {"api_key": [KEY]},
    {"api_key": KEY, "is_active": 1},
    {"api_key": KEY, "verify": None},
    {"api_key": KEY, KEY: True},
    {"api_key": KEY, "gga_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY": True},
)


def test_a_body_that_cannot_be_is_refused_without_a_word_of_it(alices: Client, openai: OpenAIStandIn) -> None:
    for body in WRONG_BODIES:
        answer = alices.put(OF_ALICE, body)
        assert_problem(answer, 422, "invalid_value")
        assert "sk-" not in answer.json()["detail"].replace("begins with sk-,", "")
        assert "gga_" not in answer.text
    assert openai.requests == []


def test_no_answer_and_no_log_holds_a_key(
    capfd: pytest.CaptureFixture[str], alices: Client, openai: OpenAIStandIn
) -> None:
    openai.for_key(KEY, refuse_key())
    answers = [
        alices.put(OF_ALICE, {"api_key": KEY}),
        alices.put(OF_ALICE, {"api_key": KEY, "verify": False}),
        alices.get(OF_ALICE),
        alices.patch(OF_ALICE, {"is_active": False}),
        alices.get("/organizations/alice"),
        alices.get("/organizations/alice/models"),
        alices.delete(OF_ALICE),
    ]
    written = capfd.readouterr()
    everything = "".join(answer.text for answer in answers) + written.out + written.err
    assert KEY not in everything
    assert KEY[:-4] not in everything
    assert alices.token not in everything


def test_a_key_is_switched_for_the_next_call(alices: Client, alice: Ngo) -> None:
    assert alices.patch(OF_ALICE, {"is_active": False}).json()["is_active"] is False
    assert alice.ask().json()["error_code"] == "credential_inactive"
    assert alices.patch(OF_ALICE, {"is_active": True}).json()["is_active"] is True
    assert alice.ask().status_code == 200


def test_a_switch_is_on_or_off(alices: Client) -> None:
    for body in ({}, {"is_active": None}, {"is_active": "false"}, {"is_active": 0}):
        assert_problem(alices.patch(OF_ALICE, body), 422, "invalid_value", "is_active")


def test_a_deleted_key_is_gone(alices: Client, alice: Ngo) -> None:
    answer = alices.delete(OF_ALICE)
    assert (answer.status_code, answer.content) == (204, b"")
    assert_problem(alices.get(OF_ALICE), 404, "not_found")
    assert_problem(alices.delete(OF_ALICE), 404, "not_found")
    assert_problem(alices.patch(OF_ALICE, {"is_active": True}), 404, "not_found")
    assert alice.ask().json()["error_code"] == "credential_missing"


def test_a_provider_that_nobody_knows_is_not_there(alices: Client) -> None:
    for provider in ("gemini", "OPEN_AI", "open_ai%00", "a" * 5000):
        path = f"/organizations/alice/credentials/{provider}"
        assert_problem(alices.put(path, {"api_key": KEY}), 404, "not_found")
        assert_problem(alices.get(path), 404, "not_found")
        assert_problem(alices.delete(path), 404, "not_found")
