"""The API's lock: who is let in, and how far."""

import httpx2

from glific_gpt.database import transaction
from glific_gpt.organizations import tokens
from tests.api.client import API, Client, assert_problem
from tests.support.house import House, Ngo

BELOW_AN_ORGANIZATION: tuple[tuple[str, str, object], ...] = (
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


def _seen(answer: httpx2.Response) -> tuple[int, bytes, dict[str, str]]:
    """All that a caller can tell one answer from another by."""
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, answer.content, headers


def test_it_lets_nobody_in_without_a_token_that_it_knows(administrator: Client) -> None:
    for wrong in (b"", b"Bearer", b"Bearer gga_nobody", b"Basic YTpi", b"Bearer \xff", b"gga_nobody", b"Bearer a=b"):
        answer = administrator.get("/organizations", headers={"Authorization": wrong})
        assert_problem(answer, 401, "unauthorized")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_webhook_token_is_no_api_token(alice: Ngo, alices: Client) -> None:
    answer = alices.get("/organizations/alice", headers={"Authorization": f"Bearer {alice.token}"})
    assert_problem(answer, 401, "unauthorized")


def test_a_revoked_token_is_turned_away_at_once(house: House, alices: Client) -> None:
    with house.app.app_context(), transaction() as session:
        for row, _slug in tokens.list_api_tokens(session):
            tokens.revoke_api_token(session, row.id)
    assert_problem(alices.get("/organizations/alice"), 401, "unauthorized")


def test_it_stands_before_every_address_of_the_api(house: House, alice: Ngo) -> None:
    rules = [rule for rule in house.app.url_map.iter_rules() if rule.rule.startswith(API)]
    asked = [(method, rule) for rule in rules for method in rule.methods or () if method != "HEAD"]
    values = {"slug": alice.slug, "provider": "open_ai", "token_id": "1", "call_id": "call_1"}
    for method, rule in asked:
        path = rule.rule.replace("<", "{").replace(">", "}").format(**values)
        assert_problem(httpx2.request(method, house.url + path), 401, "unauthorized")
    assert len(asked) >= 13


def test_an_organization_cannot_tell_a_foreign_one_from_one_that_is_not_there(alices: Client, bob: Ngo) -> None:
    for method, path, body in BELOW_AN_ORGANIZATION:
        foreign = alices.send(method, f"/organizations/{bob.slug}{path}", body)
        absent = alices.send(method, f"/organizations/carol{path}", body)
        assert_problem(foreign, 404, "not_found")
        assert _seen(foreign) == _seen(absent)


def test_an_organization_cannot_tell_that_others_are_created(alices: Client) -> None:
    absent = alices.get("/organizations/carol")
    for body in ({"slug": "carol", "name": "Carol"}, {"slug": "alice", "name": "Alice"}, {"nonsense": 1}):
        assert _seen(alices.post("/organizations", body)) == _seen(absent)


def test_nothing_of_a_foreign_organization_is_changed(
    alices: Client, bobs: Client, bob: Ngo, administrator: Client
) -> None:
    before = administrator.get("/organizations").json()
    for method, path, body in BELOW_AN_ORGANIZATION:
        alices.send(method, f"/organizations/{bob.slug}{path}", body)
    assert administrator.get("/organizations").json() == before
    assert len(bobs.get("/organizations/bob/tokens").json()) == 1
    assert bob.ask().status_code == 200


def test_a_slug_that_nobody_can_have_is_not_there(administrator: Client) -> None:
    absent = administrator.get("/organizations/carol")
    for slug in ("ALICE", "a" * 64, "alice%00", "alice%0A", "%F0%9F%98%80", "a_b", "%20", "a" * 5000):
        assert _seen(administrator.get(f"/organizations/{slug}")) == _seen(absent)


def test_an_administrator_reaches_every_organization(administrator: Client, alice: Ngo, bob: Ngo) -> None:
    for ngo in (alice, bob):
        assert administrator.get(f"/organizations/{ngo.slug}").json()["slug"] == ngo.slug
