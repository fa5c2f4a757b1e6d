"""Routes of credentials."""

import pytest

from tests.api.client import Client, assert_problem, client_of
from tests.audit.reading import entries
from tests.conftest import StartServer
from tests.support.openai_errors import refuse_key, server_error, wrong_region
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

KEY = "sk-proj-carol-9876543210-WXYZ"
ALICE_PATH = "/organizations/alice/credentials/open_ai"
CAROL_PATH = "/organizations/carol/credentials/open_ai"


@pytest.fixture
def carol(server: RunningServer) -> TestOrganization:
    """An organization without a key."""
    return server.add_organization("carol", "")


def test_it_saves_a_key_that_openai_accepts(
    administrator: Client, carol: TestOrganization, openai: OpenAIStandIn
) -> None:
    answer = administrator.put(CAROL_PATH, {"api_key": KEY})
    body = answer.json()
    assert answer.status_code == 201
    assert (body["provider"], body["is_active"], body["last4"]) == ("open_ai", True, "WXYZ")
    assert body["verified_at"].endswith("Z")
    assert [(sent.path, sent.api_key) for sent in openai.requests] == [("/v1/models", KEY)]
    assert carol.ask().status_code == 200


def test_it_replaces_a_key(alice_client: Client, alice: TestOrganization, openai: OpenAIStandIn) -> None:
    answer = alice_client.put(ALICE_PATH, {"api_key": f" {KEY}\n", "verify": False, "is_active": True})
    assert (answer.status_code, answer.json()["last4"]) == (200, "WXYZ")
    assert alice_client.get(ALICE_PATH).json() == answer.json()
    alice.ask()
    assert [sent.api_key for sent in openai.requests] == [KEY]


def test_a_key_can_be_saved_without_verification(
    administrator: Client, carol: TestOrganization, openai: OpenAIStandIn
) -> None:
    body = administrator.put(CAROL_PATH, {"api_key": KEY, "verify": False, "is_active": False}).json()
    assert (body["verified_at"], body["is_active"]) == (None, False)
    assert openai.requests == []
    assert carol.ask().json()["error_code"] == "credential_inactive"


def test_a_key_that_openai_refuses_is_not_saved(alice_client: Client, openai: OpenAIStandIn) -> None:
    before = alice_client.get(ALICE_PATH).json()
    openai.for_key(KEY, refuse_key())
    answer = alice_client.put(ALICE_PATH, {"api_key": KEY})
    assert_problem(answer, 422, "credential_not_verified", "Nothing was saved")
    assert alice_client.get(ALICE_PATH).json() == before


def test_an_unreachable_or_failing_openai_is_a_bad_gateway(alice_client: Client, openai: OpenAIStandIn) -> None:
    before = alice_client.get(ALICE_PATH).json()
    openai.for_models(server_error(500))
    answer = alice_client.put(ALICE_PATH, {"api_key": KEY})
    assert_problem(answer, 502, "credential_not_verified", "Nothing was saved. OpenAI")
    openai.close()
    answer = alice_client.put(ALICE_PATH, {"api_key": KEY})
    assert_problem(answer, 502, "credential_not_verified", "OpenAI could not be reached")
    assert alice_client.get(ALICE_PATH).json() == before


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


def test_an_invalid_body_is_refused_without_repeating_it(alice_client: Client, openai: OpenAIStandIn) -> None:
    for body in WRONG_BODIES:
        answer = alice_client.put(ALICE_PATH, body)
        assert_problem(answer, 422, "invalid_value")
        assert "sk-" not in answer.json()["detail"].replace("begins with sk-,", "")
        assert "gga_" not in answer.text
    assert openai.requests == []


def test_no_response_and_no_log_line_contains_a_key(
    capfd: pytest.CaptureFixture[str], alice_client: Client, openai: OpenAIStandIn
) -> None:
    openai.for_key(KEY, refuse_key())
    answers = [
        alice_client.put(ALICE_PATH, {"api_key": KEY}),
        alice_client.put(ALICE_PATH, {"api_key": KEY, "verify": False}),
        alice_client.get(ALICE_PATH),
        alice_client.patch(ALICE_PATH, {"is_active": False}),
        alice_client.get("/organizations/alice"),
        alice_client.get("/organizations/alice/models"),
        alice_client.delete(ALICE_PATH),
    ]
    written = capfd.readouterr()
    everything = "".join(answer.text for answer in answers) + written.out + written.err
    assert KEY not in everything
    assert KEY[:-4] not in everything
    assert alice_client.token not in everything


def test_a_status_change_takes_effect_with_the_next_call(alice_client: Client, alice: TestOrganization) -> None:
    assert alice_client.patch(ALICE_PATH, {"is_active": False}).json()["is_active"] is False
    assert alice.ask().json()["error_code"] == "credential_inactive"
    assert alice_client.patch(ALICE_PATH, {"is_active": True}).json()["is_active"] is True
    assert alice.ask().status_code == 200


def test_a_status_must_be_a_boolean(alice_client: Client) -> None:
    for body in ({}, {"is_active": None}, {"is_active": "false"}, {"is_active": 0}):
        assert_problem(alice_client.patch(ALICE_PATH, body), 422, "invalid_value", "is_active")


def test_a_deleted_key_is_not_found(alice_client: Client, alice: TestOrganization) -> None:
    answer = alice_client.delete(ALICE_PATH)
    assert (answer.status_code, answer.content) == (204, b"")
    assert_problem(alice_client.get(ALICE_PATH), 404, "not_found")
    assert_problem(alice_client.delete(ALICE_PATH), 404, "not_found")
    assert_problem(alice_client.patch(ALICE_PATH, {"is_active": True}), 404, "not_found")
    assert alice.ask().json()["error_code"] == "credential_missing"


def test_an_unknown_provider_is_not_found(alice_client: Client) -> None:
    for provider in ("gemini", "OPEN_AI", "open_ai%00", "a" * 5000):
        path = f"/organizations/alice/credentials/{provider}"
        assert_problem(alice_client.put(path, {"api_key": KEY}), 404, "not_found")
        assert_problem(alice_client.get(path), 404, "not_found")
        assert_problem(alice_client.delete(path), 404, "not_found")


def test_a_key_can_have_an_address_of_its_own(
    start_server: StartServer, other_openai: OpenAIStandIn, openai: OpenAIStandIn
) -> None:
    server = start_server(openai_hosts="*.api.openai.com,127.0.0.1")
    server.add_organization("carol", "")
    client = client_of(server)
    saved = client.put(CAROL_PATH, {"api_key": "EMPTY", "base_url": f"{other_openai.base_url}/models"})
    assert (saved.status_code, saved.json()["base_url"], saved.json()["last4"]) == (201, other_openai.base_url, "Y")
    assert client.get(CAROL_PATH).json() == saved.json()
    assert [(sent.path, sent.api_key) for sent in other_openai.requests] == [("/v1/models", "EMPTY")]
    assert openai.requests == []
    assert entries(server)[0].detail["host"] == "127.0.0.1"
    replaced = client.put(CAROL_PATH, {"api_key": KEY})
    assert replaced.json()["base_url"] is None
    assert [sent.api_key for sent in openai.requests] == [KEY]


def test_an_address_that_is_not_allowed_is_refused(alice_client: Client, openai: OpenAIStandIn) -> None:
    before = alice_client.get(ALICE_PATH).json()
    for base_url in ("https://evil.example/v1", openai.base_url, "http://api.openai.com/v1"):
        answer = alice_client.put(ALICE_PATH, {"api_key": KEY, "base_url": base_url})
        assert_problem(answer, 422, "invalid_value", "This server may not send a key to that address")
    for base_url in ("", "in.api.openai.com", "https://in.api.openai.com/v1?x=1"):
        answer = alice_client.put(ALICE_PATH, {"api_key": KEY, "base_url": base_url})
        assert_problem(answer, 422, "invalid_value", "The address must look like")
    assert alice_client.get(ALICE_PATH).json() == before
    assert openai.requests == []


def test_a_key_of_another_region_is_told_its_address(alice_client: Client, openai: OpenAIStandIn) -> None:
    openai.for_models(wrong_region())
    answer = alice_client.put(ALICE_PATH, {"api_key": KEY})
    assert_problem(answer, 422, "credential_not_verified", "Save the key with the address https://in.api.openai.com/v1")
