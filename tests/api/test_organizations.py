"""Routes of organizations."""

import pytest

from glific_gpt.database import transaction
from glific_gpt.organizations import store
from tests.api.client import Client, assert_problem
from tests.support.server import RunningServer, TestOrganization

pytestmark = pytest.mark.both_databases


def test_it_creates_an_organization_and_shows_its_token_once(server: RunningServer, administrator: Client) -> None:
    answer = administrator.post("/organizations", {"slug": "carol", "name": " Carol's school "})
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == "/api/v1/organizations/carol"
    assert (body["slug"], body["name"], body["is_active"]) == ("carol", "Carol's school", True)
    assert body["webhook_url"].endswith("/webhooks/carol/parse_via_chat_gpt")
    shown = Client(server.url, administrator.token).get(answer.headers["Location"])
    assert shown.json() == {key: value for key, value in body.items() if key != "webhook_token"}


def test_the_token_of_a_new_organization_authenticates_its_webhook(
    server: RunningServer, administrator: Client
) -> None:
    token = administrator.post("/organizations", {"slug": "carol", "name": "Carol"}).json()["webhook_token"]
    assert TestOrganization(server, "carol", token, "").ask().json()["error_code"] == "credential_missing"
    labels = [row["label"] for row in administrator.get("/organizations/carol/tokens").json()]
    assert labels == ["first"]


def test_a_slug_can_be_used_once(administrator: Client, alice: TestOrganization) -> None:
    answer = administrator.post("/organizations", {"slug": alice.slug, "name": "Another"})
    assert_problem(answer, 409, "conflict", "this slug already exists")


WRONG_BODIES: tuple[tuple[dict[str, object], str], ...] = (
    ({"slug": "Seva Trust", "name": "Seva"}, "small letters"),
    ({"slug": "", "name": "Seva"}, "slug"),
    ({"slug": "-", "name": "Seva"}, "a letter or digit first and last"),
    ({"slug": "--json", "name": "Seva"}, "a letter or digit first and last"),
    ({"slug": "seva-", "name": "Seva"}, "a letter or digit first and last"),
    ({"slug": "seva\n", "name": "Seva"}, "slug"),
    ({"slug": "seva"}, "name"),
    ({"slug": "seva", "name": "  "}, "name"),
    ({"slug": "seva", "name": "a\x00b"}, "name"),
    ({"slug": "seva", "name": "a\u202eb"}, "name"),
    ({"slug": "seva", "name": "a" * 201}, "name"),
    ({"slug": "seva", "name": 7}, "name"),
    ({"slug": "seva", "name": "Seva", "webhook_token": "mine"}, "webhook_token"),
)


def test_an_invalid_new_organization_is_refused(administrator: Client) -> None:
    for body, about in WRONG_BODIES:
        assert_problem(administrator.post("/organizations", body), 422, "invalid_value", about)
    assert administrator.get("/organizations").json() == []


def test_an_organization_with_a_slug_from_before_the_rule_stays_reachable(
    server: RunningServer, administrator: Client, alice: TestOrganization
) -> None:
    with server.app.app_context(), transaction() as session:
        store.find(session, alice.slug).slug = "--json"
    assert administrator.get("/organizations/--json").json()["slug"] == "--json"
    alice.slug = "--json"
    assert alice.ask().status_code == 200


def test_it_lists_every_organization_for_an_administrator(
    administrator: Client, bob: TestOrganization, alice: TestOrganization
) -> None:
    listed = administrator.get("/organizations").json()
    assert [row["slug"] for row in listed] == ["alice", "bob"]
    assert listed[0] == administrator.get("/organizations/alice").json()


def test_it_lists_only_the_organization_of_the_token(alice_client: Client, bob: TestOrganization) -> None:
    listed = alice_client.get("/organizations").json()
    assert [row["slug"] for row in listed] == ["alice"]


def test_an_organization_changes_its_settings(alice_client: Client) -> None:
    changes = {
        "name": "Alice & Co",
        "default_model": "gpt-4o-mini",
        "fallback_model": "gpt-4o",
        "alert_email": "alerts@example.org",
        "fallback_message": "क्षमा करें",
        "glific_organization_id": 17,
        "require_signature": True,
        "fetch_images": True,
        "time_zone": "Asia/Kolkata",
        "allowed_models": ["gpt-4o*"],
    }
    answer = alice_client.patch("/organizations/alice", changes)
    assert answer.status_code == 200
    assert changes.items() <= answer.json().items()
    assert alice_client.get("/organizations/alice").json() == answer.json()


def test_numbers_are_accepted_in_every_json_notation(alice_client: Client) -> None:
    content = b'{"glific_organization_id": 17.0, "monthly_budget_usd": 12.5, "contact_daily_limit": 2e1}'
    body = alice_client.patch(
        "/organizations/alice", content=content, headers={"Content-Type": "application/json"}
    ).json()
    numbers = (body["glific_organization_id"], body["monthly_budget_usd"], body["contact_daily_limit"])
    assert numbers == (17, 12.5, 20)


def test_missing_keys_stay_and_null_resets_to_the_default(alice_client: Client) -> None:
    alice_client.patch("/organizations/alice", {"default_model": "gpt-4o-mini", "allowed_models": []})
    body = alice_client.patch("/organizations/alice", {"default_model": None}).json()
    assert (body["default_model"], body["allowed_models"]) == (None, [])
    assert alice_client.patch("/organizations/alice", {"allowed_models": None}).json()["allowed_models"] is None


WRONG_CHANGES: tuple[dict[str, object], ...] = (
    {"slug": "bob"},
    {"signature_phrase": "mine"},
    {"is_active": "yes"},
    {"is_active": None},
    {"require_signature": None},
    {"fetch_images": None},
    {"time_zone": "asia/kolkata"},
    {"default_model": "tts-1"},
    {"default_model": ""},
    {"fallback_model": "whisper-1"},
    {"alert_email": "nobody"},
    {"glific_organization_id": 2**63},
    {"glific_organization_id": 1.5},
    {"allowed_models": "gpt-4o"},
    {"allowed_models": ["gpt 4o"]},
    {"allowed_models": ["*a*b*c*d*e*f"]},
    {"allowed_models": [f"gpt-{n}" for n in range(201)]},
    {"contact_daily_limit": 10_001},
    {"monthly_budget_usd": -1},
    {"fallback_message": "a" * 4097},
    {"fallback_message": "\u200b\u2060"},
)


def test_an_invalid_change_is_refused_and_changes_nothing(administrator: Client, alice: TestOrganization) -> None:
    before = administrator.get("/organizations/alice").json()
    for change in WRONG_CHANGES:
        answer = administrator.patch("/organizations/alice", {"name": "New"} | change)
        assert_problem(answer, 422, "invalid_value", next(iter(change)))
    assert administrator.get("/organizations/alice").json() == before


def test_a_fallback_model_must_be_allowed(administrator: Client, alice: TestOrganization) -> None:
    before = administrator.get("/organizations/alice").json()
    both = {"fallback_model": "gpt-4o", "allowed_models": ["gpt-4.1*"]}
    refused = administrator.patch("/organizations/alice", both)
    assert_problem(refused, 409, "conflict", "fallback_model: This organization's list of models does not allow gpt-4o")
    assert administrator.get("/organizations/alice").json() == before


def test_a_name_cannot_be_removed(alice_client: Client) -> None:
    assert_problem(alice_client.patch("/organizations/alice", {"name": None}), 422, "invalid_value", "name")
    assert alice_client.get("/organizations/alice").json()["name"] == "Alice"


@pytest.mark.parametrize("is_active", [True, False])
def test_an_organization_cannot_activate_or_deactivate_itself(
    alice: TestOrganization, alice_client: Client, is_active: bool
) -> None:
    alice.change(is_active=not is_active)
    answer = alice_client.patch("/organizations/alice", {"is_active": is_active, "name": "New"})
    assert_problem(answer, 403, "administrators_only")
    body = alice_client.get("/organizations/alice").json()
    assert (body["is_active"], body["name"]) == (not is_active, "Alice")


def test_an_administrator_deactivates_an_organization_for_the_next_call(
    administrator: Client, alice: TestOrganization
) -> None:
    assert administrator.patch("/organizations/alice", {"is_active": False}).json()["is_active"] is False
    assert alice.ask().json()["error_code"] == "organization_inactive"
