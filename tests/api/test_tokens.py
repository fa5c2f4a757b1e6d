"""Routes of webhook tokens."""

import pytest

from glific_gpt.organizations import tokens
from tests.api.client import Client, assert_problem
from tests.support.server import RunningServer, TestOrganization

ALICE_PATH = "/organizations/alice/tokens"


def test_a_new_token_authenticates_the_webhook_and_is_shown_once(server: RunningServer, alice_client: Client) -> None:
    answer = alice_client.post(ALICE_PATH, {"label": " staging "})
    body = answer.json()
    assert (answer.status_code, body["label"]) == (201, "staging")
    assert TestOrganization(server, "alice", body["token"], "").ask().status_code == 200
    listed = alice_client.get(ALICE_PATH)
    assert listed.json()[-1] == {key: value for key, value in body.items() if key != "token"}
    assert "ggw_" not in listed.text


def test_it_lists_an_organizations_own_tokens(alice_client: Client, bob_client: Client) -> None:
    alice_client.post(ALICE_PATH, {"label": "staging"})
    labels = [row["label"] for row in alice_client.get(ALICE_PATH).json()]
    assert labels == ["flow", "staging"]
    assert len(bob_client.get("/organizations/bob/tokens").json()) == 1


def test_a_revoked_token_is_refused(alice_client: Client, alice: TestOrganization) -> None:
    token_id = alice_client.get(ALICE_PATH).json()[0]["id"]
    answer = alice_client.delete(f"{ALICE_PATH}/{token_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert alice.ask().status_code == 401
    assert alice_client.get(ALICE_PATH).json() == []
    assert_problem(alice_client.delete(f"{ALICE_PATH}/{token_id}"), 404, "not_found")


def test_a_token_of_another_organization_cannot_be_revoked(
    alice_client: Client, bob_client: Client, bob: TestOrganization
) -> None:
    token_id = bob_client.get("/organizations/bob/tokens").json()[0]["id"]
    assert_problem(alice_client.delete(f"{ALICE_PATH}/{token_id}"), 404, "not_found")
    assert bob.ask().status_code == 200


def test_an_invalid_token_id_is_not_found(alice_client: Client) -> None:
    for token_id in ("0", "-1", "x", "1.5", str(2**31), str(2**63), "9" * 5000, "%00", "%20"):
        assert_problem(alice_client.delete(f"{ALICE_PATH}/{token_id}"), 404, "not_found")


def test_an_invalid_new_token_is_refused(alice_client: Client) -> None:
    wrong: tuple[dict[str, object], ...] = (
        {},
        {"label": ""},
        {"label": "\x00"},
        {"label": "a\u2066b"},
        {"label": "a" * 101},
        {"label": None},
        {"label": "a", "token": "b"},
    )
    for body in wrong:
        assert_problem(alice_client.post(ALICE_PATH, body), 422, "invalid_value")
    assert len(alice_client.get(ALICE_PATH).json()) == 1


def test_the_number_of_tokens_is_limited(
    alice_client: Client, bob_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MAX_TOKENS", 2)
    second = alice_client.post(ALICE_PATH, {"label": "second"}).json()
    refused = alice_client.post(ALICE_PATH, {"label": "third"})
    assert_problem(refused, 409, "conflict")
    assert refused.json()["detail"] == tokens.MSG_TOO_MANY_TOKENS
    assert len(alice_client.get(ALICE_PATH).json()) == 2
    assert bob_client.post("/organizations/bob/tokens", {"label": "second"}).status_code == 201
    alice_client.delete(f"{ALICE_PATH}/{second['id']}")
    assert alice_client.post(ALICE_PATH, {"label": "third"}).status_code == 201
