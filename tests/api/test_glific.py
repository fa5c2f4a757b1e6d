"""Routes of the Glific connection."""

from typing import Any

import pytest

from tests.api.client import Client, assert_problem
from tests.support import glific_behaviours as behaviours
from tests.support.glific_stand_in import GlificStandIn
from tests.support.server import TestOrganization

NOT_CONNECTED = dict.fromkeys(("api_url", "way", "phone_last4", "verified_at", "updated_at")) | {"connected": False}
PHONE = "919876543210"
PASSWORD = "a-password-of-alice"
ALICE_PATH = "/organizations/alice/glific"


@pytest.fixture
def login(glific: GlificStandIn) -> dict[str, Any]:
    """A body with a valid login."""
    glific.accounts[PHONE] = PASSWORD
    return {"way": "api", "api_url": glific.url, "phone": PHONE, "password": PASSWORD}


@pytest.fixture
def signed(glific: GlificStandIn) -> dict[str, Any]:
    """A body for signed calls."""
    return {"way": "signed", "api_url": glific.url}


def test_it_connects_with_a_login_that_glific_accepts(alice_client: Client, login: dict[str, Any]) -> None:
    answer = alice_client.put(ALICE_PATH, login)
    body = answer.json()
    assert answer.status_code == 200
    assert alice_client.get(ALICE_PATH).json() == body
    assert body.pop("verified_at").endswith("Z")
    assert body.pop("updated_at").endswith("Z")
    assert body == {"connected": True, "api_url": login["api_url"], "way": "api", "phone_last4": "3210"}


def test_it_replaces_a_connection(
    alice_client: Client, alice: TestOrganization, login: dict[str, Any], signed: dict[str, Any]
) -> None:
    alice.set_phrase("a phrase of alice and glific")
    assert alice_client.put(ALICE_PATH, login).json()["way"] == "api"
    answer = alice_client.put(ALICE_PATH, signed)
    body = answer.json()
    assert (answer.status_code, body["way"], body["phone_last4"]) == (200, "signed", None)
    assert alice_client.get(ALICE_PATH).json() == body


def test_a_connection_can_be_saved_without_verification(
    alice_client: Client, login: dict[str, Any], glific: GlificStandIn
) -> None:
    body = alice_client.put(ALICE_PATH, login | {"password": "unknown-there", "verify": False}).json()
    assert body["verified_at"] is None
    assert glific.requests == []


def test_a_login_that_glific_refuses_is_not_saved(alice_client: Client, login: dict[str, Any]) -> None:
    alice_client.put(ALICE_PATH, login)
    before = alice_client.get(ALICE_PATH).json()
    answer = alice_client.put(ALICE_PATH, login | {"password": "another-password"})
    assert_problem(answer, 422, "glific_not_verified", "Nothing was saved")
    assert '"verify": false' in answer.json()["detail"]
    assert alice_client.get(ALICE_PATH).json() == before


def test_an_organization_makes_few_logins_in_a_minute(
    alice_client: Client, login: dict[str, Any], glific: GlificStandIn
) -> None:
    for _ in range(5):
        assert alice_client.put(ALICE_PATH, login).status_code == 200
    answer = alice_client.put(ALICE_PATH, login)
    assert_problem(answer, 429, "rate_limited", "tested several times within a minute")
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert len(glific.logins) == 5


def test_nobody_guesses_passwords_of_a_phone_number_quickly(
    alice_client: Client, login: dict[str, Any], glific: GlificStandIn
) -> None:
    assert alice_client.put(ALICE_PATH, login | {"password": "a guess"}).status_code == 422
    for password in ("another guess", PASSWORD):
        answer = alice_client.put(ALICE_PATH, login | {"password": password})
        assert_problem(answer, 429, "rate_limited", "has just refused")
        assert 0 < int(answer.headers["Retry-After"]) <= 10
    assert len(glific.logins) == 1
    glific.accounts["15550100200"] = PASSWORD
    assert alice_client.put(ALICE_PATH, login | {"phone": "15550100200"}).status_code == 200


def test_an_unreachable_or_failing_glific_is_a_bad_gateway(
    alice_client: Client, alice: TestOrganization, login: dict[str, Any], signed: dict[str, Any], glific: GlificStandIn
) -> None:
    alice.set_phrase("a phrase of alice and glific")
    glific.always_at_login(behaviours.server_error(503))
    answer = alice_client.put(ALICE_PATH, login)
    assert_problem(answer, 502, "glific_not_verified", "internal error (status 503)")
    glific.close()
    for body in (login, signed):
        answer = alice_client.put(ALICE_PATH, body)
        assert_problem(answer, 502, "glific_not_verified", "Nothing was saved. Glific could not be reached")
    assert alice_client.get(ALICE_PATH).json() == NOT_CONNECTED


def test_the_signed_way_requires_a_signature_phrase(
    alice_client: Client, signed: dict[str, Any], glific: GlificStandIn
) -> None:
    assert_problem(alice_client.put(ALICE_PATH, signed), 422, "invalid_value", "webhook signature")
    assert alice_client.get(ALICE_PATH).json() == NOT_CONNECTED
    assert glific.requests == []


WRONG_CHANGES: tuple[tuple[dict[str, Any], str], ...] = (
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
    ({PASSWORD: True}, "no field"),
)


def test_an_invalid_body_is_refused_without_repeating_it(
    alice_client: Client, login: dict[str, Any], glific: GlificStandIn
) -> None:
    for change, about in WRONG_CHANGES:
        answer = alice_client.put(ALICE_PATH, login | change)
        assert_problem(answer, 422, "invalid_value", about)
        assert not any(word in answer.text for word in (PASSWORD, PHONE, "pigeon", "098765"))
    for missing in ("phone", "password"):
        incomplete = {name: value for name, value in login.items() if name != missing}
        assert_problem(alice_client.put(ALICE_PATH, incomplete), 422, "invalid_value", "needs phone and password")
    assert glific.requests == []
    assert alice_client.get(ALICE_PATH).json() == NOT_CONNECTED


def test_a_deleted_connection_is_not_found(alice_client: Client, login: dict[str, Any]) -> None:
    alice_client.put(ALICE_PATH, login)
    answer = alice_client.delete(ALICE_PATH)
    assert (answer.status_code, answer.content) == (204, b"")
    assert alice_client.get(ALICE_PATH).json() == NOT_CONNECTED
    assert_problem(alice_client.delete(ALICE_PATH), 404, "not_found", "not connected")


def test_the_connection_of_another_organization_is_not_found(
    administrator: Client, alice_client: Client, bob_client: Client, login: dict[str, Any], glific: GlificStandIn
) -> None:
    before = alice_client.put(ALICE_PATH, login).json()
    request_count = len(glific.requests)
    for path in (ALICE_PATH, "/organizations/nobody/glific"):
        answers = [bob_client.get(path), bob_client.delete(path), bob_client.put(path, login | {"verify": False})]
        for answer in answers:
            assert_problem(answer, 404, "not_found", "Nothing with this name was found. Check the name.")
    assert bob_client.get("/organizations/bob/glific").json() == NOT_CONNECTED
    assert len(glific.requests) == request_count
    assert administrator.get(ALICE_PATH).json() == alice_client.get(ALICE_PATH).json() == before


def test_no_response_and_no_log_line_contains_a_login(
    capfd: pytest.CaptureFixture[str], alice_client: Client, login: dict[str, Any]
) -> None:
    answers = [
        alice_client.put(ALICE_PATH, login),
        alice_client.put(ALICE_PATH, login | {"phone": "15550100200"}),
        alice_client.put(ALICE_PATH, login | {"verify": False}),
        alice_client.get(ALICE_PATH),
        alice_client.get("/organizations/alice"),
        alice_client.delete(ALICE_PATH),
    ]
    written = capfd.readouterr()
    everything = "".join(answer.text for answer in answers) + written.out + written.err
    for secret in (PASSWORD, PHONE, "98765", "15550100200"):
        assert secret not in everything


def test_only_the_token_of_an_administrator_learns_the_allowed_hosts(
    alice_client: Client, administrator: Client, login: dict[str, Any]
) -> None:
    elsewhere = login | {"api_url": "https://glific.example.org"}
    assert_problem(alice_client.put(ALICE_PATH, elsewhere), 422, "invalid_value", "ask an administrator")
    explained = administrator.put(ALICE_PATH, elsewhere).json()["detail"]
    assert "127.0.0.1" not in alice_client.put(ALICE_PATH, elsewhere).text
    assert explained.endswith("The setting GLIFIC_GPT_GLIFIC_HOSTS allows: 127.0.0.1.")
