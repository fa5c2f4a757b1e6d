"""Organizations for administrators: list, create, switch off and on."""

import re
from datetime import timedelta

import httpx2
import pytest
from playwright.sync_api import Page, expect

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import Role
from glific_gpt.clock import now
from glific_gpt.database import reading, transaction
from glific_gpt.organizations import store, tokens
from tests.conftest import StartServer
from tests.console.conftest import OpenWindow, Staff
from tests.console.invitations import accept_invitation, find_link
from tests.console.users import ConsoleUser, create_user
from tests.support.call_records import create_call
from tests.support.server import RunningServer, TestOrganization

ORGANIZATIONS = "/console/organizations"
NEW = "/console/server/organizations/new"
TOKEN = re.compile(r"ggw_[\w-]+")


@pytest.fixture
def ada(server: RunningServer) -> ConsoleUser:
    """An administrator of a server without organizations."""
    person = create_user(server, "ada@example.org")
    assert person.sign_in().status_code == 302
    return person


def row(page: str, slug: str) -> str:
    """Return the text of an organization's row."""
    found = next(line for line in page.split("<tr ") if f'<div class="slug small">{slug}</div>' in line)
    return " ".join(re.sub(r"<[^>]+>", " ", found.partition("<form")[0].partition(">")[2]).split())


def make(person: ConsoleUser, **data: str) -> str:
    answer = person.post(NEW, {"name": "Seva Trust", "slug": "seva-trust"} | data)
    assert answer.status_code == 201, answer.text[:2000]
    return answer.text


def test_an_empty_list_offers_to_create_an_organization(ada: ConsoleUser) -> None:
    page = ada.get(ORGANIZATIONS).text
    assert "No organizations yet" in page
    assert f'href="{NEW}"' in page


def test_it_shows_the_status_of_each_organization(server: RunningServer, ada: ConsoleUser) -> None:
    server.add_organization("keyless", key="")
    server.add_organization("resting").switch_key(on=False)
    server.add_organization("off", is_active=False)
    broke, refused, well = (
        server.add_organization("broke"),
        server.add_organization("refused"),
        server.add_organization("well"),
    )
    later = now() + timedelta(seconds=1)
    create_call(broke, "error", error_code="insufficient_quota", at=later)
    create_call(refused, "error", error_code="invalid_api_key", at=later)
    create_call(well, at=later)
    create_call(well, "error", error_code="deadline_exceeded")
    create_call(well, at=now() - timedelta(days=2))
    page = ada.get(ORGANIZATIONS).text
    assert row(page, "keyless") == "Keyless keyless Key missing never 0 0"
    assert "Key switched off" in row(page, "resting")
    assert "Off off Switched off never 0 0" in row(page, "off")
    assert "Out of credit" in row(page, "broke")
    assert "Key refused by OpenAI" in row(page, "refused")
    assert row(page, "well").startswith("Well well OK ")
    assert row(page, "well").endswith(" UTC 2 1")


def zone_of(server: RunningServer, slug: str) -> str | None:
    with server.app.app_context(), reading() as session:
        return store.find(session, slug).time_zone


def test_a_new_organization_has_the_time_zone_that_the_form_names(server: RunningServer, ada: ConsoleUser) -> None:
    make(ada)
    make(ada, slug="delhi", time_zone="Asia/Kolkata")
    assert [zone_of(server, slug) for slug in ("seva-trust", "delhi")] == [None, "Asia/Kolkata"]
    refused = ada.post(NEW, {"name": "Pune", "slug": "pune", "time_zone": "Asia/Pune"})
    assert (refused.status_code, 'id="time_zone-error"' in refused.text) == (422, True)


def test_the_server_can_set_the_time_zone_of_new_organizations(start_server: StartServer) -> None:
    server = start_server(default_time_zone="Asia/Kolkata")
    ada = create_user(server, "ada@example.org")
    ada.sign_in()
    form = ada.get(NEW).text
    assert '<option selected value="Asia/Kolkata">' in form
    assert "data-select-zone" not in form
    make(ada, slug="old-program")
    make(ada, slug="other", time_zone="")
    ada.client.close()
    with server.app.app_context():
        result = server.app.test_cli_runner().invoke(args=["organizations", "create", "by-command", "--name", "Seva"])
        assert result.exit_code == 0, result.output
        with transaction() as session:
            _row, token = tokens.create_api_token(session, "test", None)
    asked = httpx2.post(
        f"{server.url}/api/v1/organizations",
        json={"slug": "by-api", "name": "Seva"},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert asked.json()["time_zone"] == "Asia/Kolkata"
    zones = [zone_of(server, slug) for slug in ("old-program", "other", "by-command")]
    assert zones == ["Asia/Kolkata", None, "Asia/Kolkata"]


def test_the_form_selects_the_time_zone_of_the_browser_and_the_settings_offer_it(
    server: RunningServer, ada: ConsoleUser, open_window: OpenWindow
) -> None:
    make(ada)  # in UTC, because this client has no scripts
    shown = open_window(ada)
    shown.open(NEW)
    expect(shown.page.locator("#time_zone")).to_have_value("Asia/Kolkata")
    shown.open(f"{ORGANIZATIONS}/seva-trust/settings")
    shown.page.get_by_role("button", name="Choose Asia/Kolkata").click()
    with shown.page.expect_navigation():
        shown.page.get_by_role("button", name="Save", exact=True).first.click()
    assert zone_of(server, "seva-trust") == "Asia/Kolkata"
    expect(shown.page.locator("#time-zone-hint")).to_have_count(0)
    assert (shown.violations, shown.foreign) == ([], set())


def test_the_token_of_a_new_organization_works(server: RunningServer, ada: ConsoleUser) -> None:
    page = make(ada)
    assert "http://127.0.0.1:8000/webhooks/seva-trust/parse_via_chat_gpt" in page
    organization = TestOrganization(server, "seva-trust", TOKEN.findall(page)[0], "")
    assert organization.ask().json()["error_code"] == "credential_missing"
    assert "one-time-link" not in page


def test_the_token_is_shown_once_and_in_no_address_or_cookie(ada: ConsoleUser) -> None:
    answer = ada.post(NEW, {"name": "Seva Trust", "slug": "seva-trust"})
    token = TOKEN.findall(answer.text)[0]
    assert answer.headers["Cache-Control"] == "no-store"
    assert token not in str(answer.url)
    assert not any(token in (cookie.value or "") for cookie in ada.client.cookies.jar)
    for path in (ORGANIZATIONS, NEW, f"{ORGANIZATIONS}/seva-trust/", f"{ORGANIZATIONS}/seva-trust/audit"):
        assert token not in ada.get(path).text


def test_loading_the_page_of_a_new_organization_again_shows_it_and_offers_another_token(ada: ConsoleUser) -> None:
    form = {"name": "Seva Trust", "slug": "seva-trust"}
    token = TOKEN.findall(make(ada))[0]
    again = ada.post(NEW, form)
    assert again.status_code == 200
    assert "The token was shown once." in again.text
    assert token not in again.text
    other = ada.post(f"{ORGANIZATIONS}/seva-trust/use-in-glific/tokens", {"label": "first"})
    assert TOKEN.findall(other.text)[0] != token
    make(ada, slug="other")
    assert ada.post(NEW, form).status_code == 422


def test_a_new_organization_has_the_budget_of_the_form(ada: ConsoleUser) -> None:
    make(ada, monthly_budget_usd="$1,000")
    assert 'value="1000"' in ada.get(f"{ORGANIZATIONS}/seva-trust/settings").text
    refused = ada.post(NEW, {"name": "Two", "slug": "two", "monthly_budget_usd": "much"})
    assert refused.status_code == 422
    assert "Enter an amount in US dollars" in refused.text
    assert "every call is refused" in make(ada, slug="none", monthly_budget_usd="0")
    assert "every call is refused" not in make(ada, slug="any", monthly_budget_usd="")


def test_the_first_owner_is_invited(server: RunningServer, ada: ConsoleUser) -> None:
    answer = ada.post(NEW, {"name": "Seva Trust", "slug": "seva-trust", "email": "asha@example.org"})
    asha = accept_invitation(server, "asha@example.org", find_link(answer))
    assert asha.get("/console/").headers["Location"] == f"{ORGANIZATIONS}/seva-trust/"
    assert "Invite a member" in asha.get(f"{ORGANIZATIONS}/seva-trust/members").text
    asha.client.close()


def test_an_existing_account_becomes_owner_with_a_new_password(
    server: RunningServer, alice: TestOrganization, ada: ConsoleUser
) -> None:
    create_user(server, "asha@example.org", Role.VIEWER, alice.slug).client.close()
    assert "choose a new password with the link" in ada.get(NEW).text
    answer = ada.post(NEW, {"name": "Seva Trust", "slug": "seva-trust", "email": "asha@example.org"})
    assert "This person already had an account." in answer.text
    asha = accept_invitation(server, "asha@example.org", find_link(answer))
    assert asha.sign_in().status_code == 302
    assert "Invite a member" in asha.get(f"{ORGANIZATIONS}/seva-trust/members").text
    asha.client.close()


def test_an_administrator_becomes_owner_without_a_link(ada: ConsoleUser) -> None:
    page = make(ada, email=ada.email)
    assert "signs in as before" in page
    assert "one-time-link" not in page
    assert ada.get(ORGANIZATIONS).status_code == 200


def test_an_account_that_is_switched_off_cannot_become_owner(
    server: RunningServer, alice: TestOrganization, ada: ConsoleUser
) -> None:
    create_user(server, "asha@example.org", Role.VIEWER, alice.slug).client.close()
    with server.app.app_context(), transaction() as session:
        people.find_person(session, "asha@example.org").active = False
    answer = ada.post(NEW, {"name": "Seva Trust", "slug": "seva-trust", "email": "asha@example.org"})
    assert answer.status_code == 422
    assert 'id="email-error"' in answer.text
    assert "Switch it on first" in answer.text
    assert ada.get(f"{ORGANIZATIONS}/seva-trust/").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"slug": "alice"}, "An organization with this slug already exists. Choose another slug."),
        ({"slug": "Seva Trust"}, "Use small letters, digits and hyphens"),
        ({"slug": "--json"}, "with a letter or digit first and last"),
        ({"slug": "seva-"}, "with a letter or digit first and last"),
        ({"slug": ""}, "Enter a short name."),
        ({"name": " "}, "Enter a name."),
        ({"name": "a\x00b"}, "This name contains characters that cannot be stored. Remove them."),
        ({"name": "a" * 201}, "Write at most 200 characters."),
        ({"email": "nobody"}, "This is not an e-mail address."),
    ],
)
def test_an_invalid_form_is_explained_and_creates_nothing(
    ada: ConsoleUser, alice: TestOrganization, wrong: dict[str, str], complaint: str
) -> None:
    answer = ada.post(NEW, {"name": "Other", "slug": "other", "email": "owner@example.org"} | wrong)
    assert answer.status_code == 422
    assert complaint in answer.text
    assert TOKEN.search(answer.text) is None
    assert ada.get(f"{ORGANIZATIONS}/other/").status_code == 404
    assert "owner@example.org" not in ada.get("/console/server/people").text


def test_switching_off_and_on_takes_effect_on_the_next_call(alice: TestOrganization, ada: ConsoleUser) -> None:
    switch = f"{ORGANIZATIONS}/{alice.slug}/switch"
    assert "All its calls are refused" in ada.get(ORGANIZATIONS).text
    assert ada.post(switch, {"switch": "off"}).headers["Location"] == ORGANIZATIONS
    assert alice.ask().json()["error_code"] == "organization_inactive"
    ada.post(switch, {"switch": "on"})
    assert alice.ask().json()["success"] is True
    assert ada.post(switch, {"switch": "perhaps"}).status_code == 422


@pytest.mark.parametrize("role", list(Role))
def test_only_administrators_can_open_it(staff: Staff, alice: TestOrganization, role: Role) -> None:
    person = staff(role)
    for path in (ORGANIZATIONS, NEW):
        assert person.get(path).status_code == 404
    assert person.post(NEW, {"name": "Mine", "slug": "mine"}).status_code == 404
    assert person.post(f"{ORGANIZATIONS}/{alice.slug}/switch", {"switch": "off"}).status_code == 404
    assert alice.ask().json()["success"] is True


def test_it_suggests_a_short_name_until_the_user_edits_it(ada: ConsoleUser, open_window: OpenWindow) -> None:
    page = _opened(open_window, ada, NEW)
    page.fill("#name", "Séva Trust (Pune)")
    assert page.input_value("#slug") == "seva-trust-pune"
    page.fill("#slug", "seva")
    page.fill("#name", "Seva Foundation")
    assert page.input_value("#slug") == "seva"


def test_the_search_filters_rows_while_typing(server: RunningServer, ada: ConsoleUser, open_window: OpenWindow) -> None:
    for slug in ("seva-trust", "jal-jeevan"):
        server.add_organization(slug, key="")
    page = _opened(open_window, ada, ORGANIZATIONS)
    page.fill("#search", "JAL")
    assert page.locator("tbody tr:visible").all_inner_texts()[0].startswith("Jal-Jeevan")
    assert page.locator("tbody tr:visible").count() == 1
    page.fill("#search", "nothing like it")
    assert page.locator("#none").inner_text() == "No organization matches this search."
    page.fill("#search", "")
    assert page.locator("tbody tr:visible").count() == 2


def test_switching_off_asks_for_a_confirmation(
    alice: TestOrganization, ada: ConsoleUser, open_window: OpenWindow
) -> None:
    page = _opened(open_window, ada, ORGANIZATIONS)
    page.click("text=Switch off")
    page.click("#confirm >> text=Cancel")
    assert alice.ask().json()["success"] is True
    page.click("tbody >> text=Switch off")
    page.click('#confirm >> text="Switch off"')
    page.wait_for_selector("tbody >> text=Switch on")
    assert alice.ask().json()["error_code"] == "organization_inactive"


def test_the_status_fits_a_narrow_phone_and_failures_are_red(
    alice: TestOrganization, ada: ConsoleUser, open_window: OpenWindow
) -> None:
    alice.change(require_signature=True)
    create_call(alice, "error", error_code="empty_question")
    page = _opened(open_window, ada, ORGANIZATIONS)
    red = page.locator("td .text-danger").evaluate("count => getComputedStyle(count).color")
    page.set_viewport_size({"width": 320, "height": 900})
    status, card = (
        page.get_by_text("Webhook signature missing").bounding_box(),
        page.locator("main .card").bounding_box(),
    )
    assert status is not None
    assert card is not None
    assert status["x"] + status["width"] <= card["x"] + card["width"]
    assert page.locator("td .text-danger").evaluate("count => getComputedStyle(count).color") == red


def _opened(open_window: OpenWindow, person: ConsoleUser, path: str) -> Page:
    shown = open_window(person)
    assert shown.open(path) == 200
    return shown.page
