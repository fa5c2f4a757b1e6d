"""Organizations: administrators see how they are, make them, and switch them off and on."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import Role
from glific_gpt.clock import now
from glific_gpt.database import transaction
from tests.console.conftest import OpenWindow, Staff
from tests.console.invited import arrive, link_on
from tests.console.people import Person, employ
from tests.support.house import House, Ngo
from tests.support.recorded import record

ORGANIZATIONS = "/console/organizations"
NEW = "/console/server/organizations/new"
TOKEN = re.compile(r"ggw_[\w-]+")


@pytest.fixture
def ada(house: House) -> Person:
    """An administrator of a server without organizations."""
    person = employ(house, "ada@example.org")
    assert person.sign_in().status_code == 302
    return person


def row(page: str, slug: str) -> str:
    """The words of an organization's line."""
    found = next(line for line in page.split("<tr ") if f'<div class="slug small">{slug}</div>' in line)
    return " ".join(re.sub(r"<[^>]+>", " ", found.partition("<form")[0].partition(">")[2]).split())


def make(person: Person, **data: str) -> str:
    answer = person.post(NEW, {"name": "Seva Trust", "slug": "seva-trust"} | data)
    assert answer.status_code == 201, answer.text[:2000]
    return answer.text


def test_it_says_what_to_do_when_there_are_none(ada: Person) -> None:
    page = ada.get(ORGANIZATIONS).text
    assert "No organizations yet" in page
    assert f'href="{NEW}"' in page


def test_it_tells_how_each_is(house: House, ada: Person) -> None:
    house.ngo("keyless", key="")
    house.ngo("resting").switch_key(on=False)
    house.ngo("off", is_active=False)
    broke, refused, well = house.ngo("broke"), house.ngo("refused"), house.ngo("well")
    later = now() + timedelta(seconds=1)
    record(broke, "error", error_code="insufficient_quota", at=later)
    record(refused, "error", error_code="invalid_api_key", at=later)
    record(well, at=later)
    record(well, "error", error_code="deadline_exceeded")
    record(well, at=now() - timedelta(days=2))
    page = ada.get(ORGANIZATIONS).text
    assert row(page, "keyless") == "Keyless keyless Key missing never 0 0"
    assert "Key switched off" in row(page, "resting")
    assert "Off off Switched off never 0 0" in row(page, "off")
    assert "Out of credit" in row(page, "broke")
    assert "Key refused by OpenAI" in row(page, "refused")
    assert row(page, "well").startswith("Well well OK ")
    assert row(page, "well").endswith(" UTC 2 1")


def test_it_makes_one_whose_token_lets_a_flow_in(house: House, ada: Person) -> None:
    page = make(ada)
    assert "http://127.0.0.1:8000/webhooks/seva-trust/parse_via_chat_gpt" in page
    ngo = Ngo(house, "seva-trust", TOKEN.findall(page)[0], "")
    assert ngo.ask().json()["error_code"] == "credential_missing"
    assert "one-time-link" not in page


def test_it_shows_the_token_once_and_keeps_it_out_of_addresses_and_cookies(ada: Person) -> None:
    answer = ada.post(NEW, {"name": "Seva Trust", "slug": "seva-trust"})
    token = TOKEN.findall(answer.text)[0]
    assert answer.headers["Cache-Control"] == "no-store"
    assert token not in str(answer.url)
    assert not any(token in (cookie.value or "") for cookie in ada.client.cookies.jar)
    for path in (ORGANIZATIONS, NEW, f"{ORGANIZATIONS}/seva-trust/", f"{ORGANIZATIONS}/seva-trust/audit"):
        assert token not in ada.get(path).text


def test_it_invites_the_first_owner_with_it(house: House, ada: Person) -> None:
    answer = ada.post(NEW, {"name": "Seva Trust", "slug": "seva-trust", "email": "asha@example.org"})
    asha = arrive(house, "asha@example.org", link_on(answer))
    assert asha.get("/console/").headers["Location"] == f"{ORGANIZATIONS}/seva-trust/"
    assert "Invite a member" in asha.get(f"{ORGANIZATIONS}/seva-trust/members").text
    asha.client.close()


def test_it_makes_somebody_known_its_owner_by_a_new_password(house: House, alice: Ngo, ada: Person) -> None:
    employ(house, "asha@example.org", Role.VIEWER, alice.slug).client.close()
    assert "chooses a new password with the link" in ada.get(NEW).text
    answer = ada.post(NEW, {"name": "Seva Trust", "slug": "seva-trust", "email": "asha@example.org"})
    assert "This person had an account already." in answer.text
    asha = arrive(house, "asha@example.org", link_on(answer))
    assert asha.sign_in().status_code == 302
    assert "Invite a member" in asha.get(f"{ORGANIZATIONS}/seva-trust/members").text
    asha.client.close()


def test_it_makes_an_administrator_its_owner_without_a_link(ada: Person) -> None:
    page = make(ada, email=ada.email)
    assert "signs in as before" in page
    assert "one-time-link" not in page
    assert ada.get(ORGANIZATIONS).status_code == 200


def test_it_makes_nobody_its_owner_who_is_switched_off(house: House, alice: Ngo, ada: Person) -> None:
    employ(house, "asha@example.org", Role.VIEWER, alice.slug).client.close()
    with house.app.app_context(), transaction() as session:
        people.find(session, "asha@example.org").active = False
    answer = ada.post(NEW, {"name": "Seva Trust", "slug": "seva-trust", "email": "asha@example.org"})
    assert answer.status_code == 422
    assert 'id="email-error"' in answer.text
    assert "switch it on first" in answer.text
    assert ada.get(f"{ORGANIZATIONS}/seva-trust/").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"slug": "alice"}, "There is an organization of that slug already."),
        ({"slug": "Seva Trust"}, "Only small letters, digits and hyphens"),
        ({"slug": ""}, "Enter a short name."),
        ({"name": " "}, "Enter a name."),
        ({"name": "a\x00b"}, "This name contains characters that cannot be stored. Remove them."),
        ({"name": "a" * 201}, "Write at most 200 characters."),
        ({"email": "nobody"}, "This is not an e-mail address."),
    ],
)
def test_it_says_what_is_wrong_and_makes_nothing(
    ada: Person, alice: Ngo, wrong: dict[str, str], complaint: str
) -> None:
    answer = ada.post(NEW, {"name": "Other", "slug": "other", "email": "owner@example.org"} | wrong)
    assert answer.status_code == 422
    assert complaint in answer.text
    assert TOKEN.search(answer.text) is None
    assert ada.get(f"{ORGANIZATIONS}/other/").status_code == 404
    assert "owner@example.org" not in ada.get("/console/server/people").text


def test_it_switches_one_off_and_on_with_the_next_call(alice: Ngo, ada: Person) -> None:
    switch = f"{ORGANIZATIONS}/{alice.slug}/switch"
    assert "Every call of its flows is refused at once" in ada.get(ORGANIZATIONS).text
    assert ada.post(switch, {"switch": "off"}).headers["Location"] == ORGANIZATIONS
    assert alice.ask().json()["error_code"] == "organization_inactive"
    ada.post(switch, {"switch": "on"})
    assert alice.ask().json()["success"] is True
    assert ada.post(switch, {"switch": "perhaps"}).status_code == 422


@pytest.mark.parametrize("role", list(Role))
def test_it_is_there_for_administrators_alone(staff: Staff, alice: Ngo, role: Role) -> None:
    person = staff(role)
    for path in (ORGANIZATIONS, NEW):
        assert person.get(path).status_code == 404
    assert person.post(NEW, {"name": "Mine", "slug": "mine"}).status_code == 404
    assert person.post(f"{ORGANIZATIONS}/{alice.slug}/switch", {"switch": "off"}).status_code == 404
    assert alice.ask().json()["success"] is True


def test_it_suggests_an_address_until_somebody_writes_one(ada: Person, open_window: OpenWindow) -> None:
    page = _opened(open_window, ada, NEW)
    page.fill("#name", "Séva Trust (Pune)")
    assert page.input_value("#slug") == "seva-trust-pune"
    page.fill("#slug", "seva")
    page.fill("#name", "Seva Foundation")
    assert page.input_value("#slug") == "seva"


def test_it_searches_while_somebody_types(house: House, ada: Person, open_window: OpenWindow) -> None:
    for slug in ("seva-trust", "jal-jeevan"):
        house.ngo(slug, key="")
    page = _opened(open_window, ada, ORGANIZATIONS)
    page.fill("#search", "JAL")
    assert page.locator("tbody tr:visible").all_inner_texts()[0].startswith("Jal-Jeevan")
    assert page.locator("tbody tr:visible").count() == 1
    page.fill("#search", "nothing like it")
    assert page.locator("#none").inner_text() == "No organization matches this search."
    page.fill("#search", "")
    assert page.locator("tbody tr:visible").count() == 2


def test_it_asks_before_it_switches_off(alice: Ngo, ada: Person, open_window: OpenWindow) -> None:
    page = _opened(open_window, ada, ORGANIZATIONS)
    page.click("text=Switch off")
    page.click("#confirm >> text=Cancel")
    assert alice.ask().json()["success"] is True
    page.click("tbody >> text=Switch off")
    page.click("#confirm >> text=Switch off")
    page.wait_for_selector("tbody >> text=Switch on")
    assert alice.ask().json()["error_code"] == "organization_inactive"


def _opened(open_window: OpenWindow, person: Person, path: str) -> Page:
    shown = open_window(person)
    assert shown.open(path) == 200
    return shown.page
