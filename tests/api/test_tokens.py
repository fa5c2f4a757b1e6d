"""Routes of webhook tokens."""

from tests.api.client import Client, assert_problem
from tests.support.house import House, Ngo

OF_ALICE = "/organizations/alice/tokens"


def test_a_new_token_opens_the_webhook_and_is_shown_this_once(house: House, alices: Client) -> None:
    answer = alices.post(OF_ALICE, {"label": " staging "})
    body = answer.json()
    assert (answer.status_code, body["label"]) == (201, "staging")
    assert Ngo(house, "alice", body["token"], "").ask().status_code == 200
    listed = alices.get(OF_ALICE)
    assert listed.json()[-1] == {key: value for key, value in body.items() if key != "token"}
    assert "ggw_" not in listed.text


def test_it_lists_an_organizations_own_tokens(alices: Client, bobs: Client) -> None:
    alices.post(OF_ALICE, {"label": "staging"})
    labels = [row["label"] for row in alices.get(OF_ALICE).json()]
    assert labels == ["flow", "staging"]
    assert len(bobs.get("/organizations/bob/tokens").json()) == 1


def test_a_revoked_token_opens_nothing(alices: Client, alice: Ngo) -> None:
    token_id = alices.get(OF_ALICE).json()[0]["id"]
    answer = alices.delete(f"{OF_ALICE}/{token_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert alice.ask().status_code == 401
    assert alices.get(OF_ALICE).json() == []
    assert_problem(alices.delete(f"{OF_ALICE}/{token_id}"), 404, "not_found")


def test_a_foreign_token_cannot_be_revoked_through_an_own_address(alices: Client, bobs: Client, bob: Ngo) -> None:
    token_id = bobs.get("/organizations/bob/tokens").json()[0]["id"]
    assert_problem(alices.delete(f"{OF_ALICE}/{token_id}"), 404, "not_found")
    assert bob.ask().status_code == 200


def test_an_id_that_no_token_can_have_is_not_there(alices: Client) -> None:
    for token_id in ("0", "-1", "x", "1.5", str(2**31), str(2**63), "9" * 5000, "%00", "%20"):
        assert_problem(alices.delete(f"{OF_ALICE}/{token_id}"), 404, "not_found")


def test_a_new_token_that_cannot_be_is_refused(alices: Client) -> None:
    wrong: tuple[dict[str, object], ...] = (
        {},
        {"label": ""},
        {"label": "\x00"},
        {"label": "a" * 101},
        {"label": None},
        {"label": "a", "token": "b"},
    )
    for body in wrong:
        assert_problem(alices.post(OF_ALICE, body), 422, "invalid_value")
    assert len(alices.get(OF_ALICE).json()) == 1
