"""Routes of the connection to Glific."""

from typing import Any

import pytest

from tests.api.client import Client, assert_problem
from tests.support.glific_stand_in import GlificStandIn
from tests.support.house import Ngo

NOT_CONNECTED = dict.fromkeys(("api_url", "way", "phone_last4", "verified_at", "updated_at")) | {"connected": False}
PHONE = "919876543210"
PASSWORD = "a-password-of-alice"
OF_ALICE = "/organizations/alice/glific"


@pytest.fixture
def login(glific: GlificStandIn) -> dict[str, Any]:
    """A body that connects with an account that is there."""
    glific.accounts[PHONE] = PASSWORD
    return {"way": "api", "api_url": glific.url, "phone": PHONE, "password": PASSWORD}


@pytest.fixture
def signed(glific: GlificStandIn) -> dict[str, Any]:
    """A body that connects by the signed call."""
    return {"way": "signed", "api_url": glific.url}


def test_it_connects_with_a_login_that_glific_accepts(alices: Client, login: dict[str, Any]) -> None:
    answer = alices.put(OF_ALICE, login)
    body = answer.json()
    assert answer.status_code == 200
    assert alices.get(OF_ALICE).json() == body
    assert body.pop("verified_at").endswith("Z")
    assert body.pop("updated_at").endswith("Z")
    assert body == {"connected": True, "api_url": login["api_url"], "way": "api", "phone_last4": "3210"}


def test_it_replaces_a_connection(alices: Client, alice: Ngo, login: dict[str, Any], signed: dict[str, Any]) -> None:
    alice.set_phrase("a phrase of alice and glific")
    assert alices.put(OF_ALICE, login).json()["way"] == "api"
    answer = alices.put(OF_ALICE, signed)
    body = answer.json()
    assert (answer.status_code, body["way"], body["phone_last4"]) == (200, "signed", None)
    assert alices.get(OF_ALICE).json() == body


def test_a_connection_that_is_not_verified_is_saved_without_asking(
    alices: Client, login: dict[str, Any], glific: GlificStandIn
) -> None:
    body = alices.put(OF_ALICE, login | {"password": "unknown-there", "verify": False}).json()
    assert body["verified_at"] is None
    assert glific.requests == []


def test_a_login_that_glific_refuses_is_not_saved(alices: Client, login: dict[str, Any]) -> None:
    alices.put(OF_ALICE, login)
    before = alices.get(OF_ALICE).json()
    answer = alices.put(OF_ALICE, login | {"password": "another-password"})
    assert_problem(answer, 422, "glific_not_verified", "Nothing was saved")
    assert '"verify": false' in answer.json()["detail"]
    assert alices.get(OF_ALICE).json() == before


def test_the_signed_call_needs_the_phrase(alices: Client, signed: dict[str, Any], glific: GlificStandIn) -> None:
    assert_problem(alices.put(OF_ALICE, signed), 422, "invalid_value", "signature phrase")
    assert alices.get(OF_ALICE).json() == NOT_CONNECTED
    assert glific.requests == []


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"way": None}, "way"),
    ({"way": "by pigeon"}, "way"),
    ({"way": "signed"}, "neither phone nor password"),
    ({"phone": None}, "phone"),
    ({"phone": 919876543210}, "phone"),
    ({"phone": "098765"}, "country code"),
    ({"password": ""}, "password"),
    ({"password": "x" * 1001}, "password"),
    ({"password": [PASSWORD]}, "password"),
    ({"verify": "no"}, "verify"),
    ({"api_url": None}, "api_url"),
    ({"api_url": "https://api.example.org"}, ""),
    ({"api_url": "https://127.0.0.1.example.org"}, ""),
    ({PASSWORD: True}, "not permitted"),
)


def test_a_body_that_cannot_be_is_refused_without_a_word_of_it(
    alices: Client, login: dict[str, Any], glific: GlificStandIn
) -> None:
    for change, about in WRONG:
        answer = alices.put(OF_ALICE, login | change)
        assert_problem(answer, 422, "invalid_value", about)
        assert not any(word in answer.text for word in (PASSWORD, PHONE, "pigeon", "098765"))
    for missing in ("phone", "password"):
        lacking = {name: value for name, value in login.items() if name != missing}
        assert_problem(alices.put(OF_ALICE, lacking), 422, "invalid_value", "needs phone and password")
    assert glific.requests == []
    assert alices.get(OF_ALICE).json() == NOT_CONNECTED


def test_a_deleted_connection_is_gone(alices: Client, login: dict[str, Any]) -> None:
    alices.put(OF_ALICE, login)
    answer = alices.delete(OF_ALICE)
    assert (answer.status_code, answer.content) == (204, b"")
    assert alices.get(OF_ALICE).json() == NOT_CONNECTED
    assert_problem(alices.delete(OF_ALICE), 404, "not_found", "not connected")


def test_the_connection_of_another_organization_is_not_there(
    administrator: Client, alices: Client, bobs: Client, login: dict[str, Any], glific: GlificStandIn
) -> None:
    before = alices.put(OF_ALICE, login).json()
    asked = len(glific.requests)
    for path in (OF_ALICE, "/organizations/nobody/glific"):
        answers = [bobs.get(path), bobs.delete(path), bobs.put(path, login | {"verify": False})]
        for answer in answers:
            assert_problem(answer, 404, "not_found", "There is nothing here under that name.")
    assert bobs.get("/organizations/bob/glific").json() == NOT_CONNECTED
    assert len(glific.requests) == asked
    assert administrator.get(OF_ALICE).json() == alices.get(OF_ALICE).json() == before


def test_no_answer_and_no_log_holds_a_login(
    capfd: pytest.CaptureFixture[str], alices: Client, login: dict[str, Any]
) -> None:
    answers = [
        alices.put(OF_ALICE, login),
        alices.put(OF_ALICE, login | {"phone": "15550100200"}),
        alices.put(OF_ALICE, login | {"verify": False}),
        alices.get(OF_ALICE),
        alices.get("/organizations/alice"),
        alices.delete(OF_ALICE),
    ]
    written = capfd.readouterr()
    everything = "".join(answer.text for answer in answers) + written.out + written.err
    for secret in (PASSWORD, PHONE, "98765", "15550100200"):
        assert secret not in everything
