"""Authentication and access of API tokens."""

import httpx2

from glific_gpt.database import transaction
from glific_gpt.organizations import tokens
from tests.api.client import API, Client, assert_problem
from tests.support import http
from tests.support.server import RunningServer, TestOrganization

ORGANIZATION_REQUESTS: tuple[tuple[str, str, object], ...] = (
    ("GET", "", None),
    ("PATCH", "", {"name": "Mine now"}),
    ("PATCH", "", {"nonsense": 1}),
    ("GET", "/credentials/open_ai", None),
    ("PUT", "/credentials/open_ai", {"api_key": "sk-proj-mine-0123456789"}),
    ("PUT", "/credentials/nonsense", {}),
    ("PATCH", "/credentials/open_ai", {"is_active": False}),
    ("DELETE", "/credentials/open_ai", None),
    ("GET", "/tokens", None),
    ("POST", "/tokens", {"label": "mine"}),
    ("DELETE", "/tokens/1", None),
    ("DELETE", "/tokens/2", None),
    ("GET", "/models", None),
    ("GET", "/calls", None),
    ("GET", "/calls?limit=nonsense", None),
    ("GET", "/calls/call_0", None),
    ("POST", "/calls/call_0/retry", None),
    ("GET", "/glific", None),
    ("PUT", "/glific", {"way": "signed", "api_url": "https://api.alice.glific.com"}),
    ("PUT", "/glific", {}),
    ("DELETE", "/glific", None),
)


def _observable(answer: httpx2.Response) -> tuple[int, bytes, dict[str, str]]:
    """Return everything by which a caller can distinguish two responses."""
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, answer.content, headers


def test_a_missing_or_unknown_token_is_refused(administrator: Client) -> None:
    for wrong in (b"", b"Bearer", b"Bearer gga_nobody", b"Basic YTpi", b"Bearer \xff", b"gga_nobody", b"Bearer a=b"):
        answer = administrator.get("/organizations", headers={"Authorization": wrong})
        assert_problem(answer, 401, "unauthorized")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_webhook_token_is_not_an_api_token(alice: TestOrganization, alice_client: Client) -> None:
    answer = alice_client.get("/organizations/alice", headers={"Authorization": f"Bearer {alice.token}"})
    assert_problem(answer, 401, "unauthorized")


def test_a_revoked_token_is_refused_immediately(server: RunningServer, alice_client: Client) -> None:
    with server.app.app_context(), transaction() as session:
        for row, _slug in tokens.list_api_tokens(session):
            tokens.revoke_api_token(session, row.id)
    assert_problem(alice_client.get("/organizations/alice"), 401, "unauthorized")


def test_every_route_requires_a_token(server: RunningServer, alice: TestOrganization) -> None:
    rules = [rule for rule in server.app.url_map.iter_rules() if rule.rule.startswith(API)]
    requests = [(method, rule) for rule in rules for method in rule.methods or () if method != "HEAD"]
    values = {"slug": alice.slug, "provider": "open_ai", "token_id": "1", "call_id": "call_1"}
    for method, rule in requests:
        path = rule.rule.replace("<", "{").replace(">", "}").format(**values)
        assert_problem(http.request(method, server.url + path), 401, "unauthorized")
    assert len(requests) >= 13


def test_an_organization_cannot_distinguish_another_one_from_an_unknown_one(
    alice_client: Client, bob: TestOrganization
) -> None:
    for method, path, body in ORGANIZATION_REQUESTS:
        foreign = alice_client.send(method, f"/organizations/{bob.slug}{path}", body)
        absent = alice_client.send(method, f"/organizations/carol{path}", body)
        assert_problem(foreign, 404, "not_found")
        assert _observable(foreign) == _observable(absent)


def test_an_organization_cannot_create_organizations_or_see_that_they_exist(alice_client: Client) -> None:
    absent = alice_client.get("/organizations/carol")
    for body in ({"slug": "carol", "name": "Carol"}, {"slug": "alice", "name": "Alice"}, {"nonsense": 1}):
        assert _observable(alice_client.post("/organizations", body)) == _observable(absent)


def test_nothing_of_another_organization_is_changed(
    alice_client: Client, bob_client: Client, bob: TestOrganization, administrator: Client
) -> None:
    before = administrator.get("/organizations").json()
    for method, path, body in ORGANIZATION_REQUESTS:
        alice_client.send(method, f"/organizations/{bob.slug}{path}", body)
    assert administrator.get("/organizations").json() == before
    assert len(bob_client.get("/organizations/bob/tokens").json()) == 1
    assert bob.ask().status_code == 200


def test_an_invalid_slug_is_not_found(administrator: Client) -> None:
    absent = administrator.get("/organizations/carol")
    for slug in ("ALICE", "a" * 64, "alice%00", "alice%0A", "%F0%9F%98%80", "a_b", "%20", "a" * 5000):
        assert _observable(administrator.get(f"/organizations/{slug}")) == _observable(absent)


def test_an_administrator_can_access_every_organization(
    administrator: Client, alice: TestOrganization, bob: TestOrganization
) -> None:
    for organization in (alice, bob):
        assert administrator.get(f"/organizations/{organization.slug}").json()["slug"] == organization.slug
