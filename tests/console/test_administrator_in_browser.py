"""The journey of a new administrator, from the link in the log to the printed report of all organizations."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from glific_gpt.accounts import first_administrator
from tests.console.effort import Effort
from tests.console.users import PASSWORD
from tests.support import openai_behaviours as behaviours
from tests.support.chromium import open_browser_window
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

MAX_CLICKS, MAX_FIELDS = 6, 6
OWNER = "asha@seva-trust.example.org"
KEEP_PRINTING = "window.print = () => { window.printed = true }"


def find_set_up_path(server: RunningServer) -> str:
    """Return the path of the link that the log of a new server shows."""
    with server.app.app_context():
        link = first_administrator.create_link()
    assert link is not None
    return link.removeprefix(server.services.settings.public_url)


def set_up_server(done: Effort, path: str) -> None:
    page = done.shown.page
    done.shown.open(path)
    done.check_page("Set up the server")
    done.fill(page.get_by_label("E-mail address"), "ravi@example.org")
    done.fill(page.get_by_label("Password", exact=True), PASSWORD)
    done.fill(page.get_by_label("Repeat the password"), PASSWORD)
    done.click(page.get_by_role("button", name="Create administrator"))
    done.check_page("Organizations")


def create_organization(done: Effort) -> str:
    """Create an organization with its owner and a budget, and return its webhook token."""
    page = done.shown.page
    done.click(page.get_by_role("main").get_by_role("link", name="New organization"))
    done.check_page("New organization")
    expect(page.locator('.menu [aria-current="page"]')).to_have_text("Organizations")
    done.fill(page.get_by_label(re.compile("^Name")), "Seva Trust")
    done.fill(page.get_by_label("E-mail address of the first owner"), OWNER)
    done.fill(page.get_by_label("Monthly budget in US dollars"), "25")
    done.click(page.get_by_role("button", name="Create organization"))
    done.check_page("Seva Trust: organization created")
    message = page.get_by_role("link", name="Send by WhatsApp").get_attribute("href")
    assert "account%2Freset" in (message or "")
    return page.locator("#webhook-token").inner_text()


def ask_questions(organization: TestOrganization, openai: OpenAIStandIn) -> None:
    """Answer a question of each of two contacts. Then OpenAI refuses the key."""
    organization.set_key("sk-proj-seva-trust-0123456789")
    for contact in (21, 22):
        openai.will(behaviours.answer("Half a teaspoon, and six of sugar."))
        assert organization.ask(contact={"id": contact}).status_code == 200
    openai.will(behaviours.refuse_key())
    assert organization.ask(contact={"id": 23}).json()["error_code"] == "invalid_api_key"


def read_row(page: Page) -> str:
    """Return the text of the row of the organization."""
    return " ".join(page.get_by_role("row", name="Seva Trust").inner_text().split())


def test_an_organization_is_created_and_reported_with_few_clicks_and_fields(
    server: RunningServer, browser: Browser, openai: OpenAIStandIn
) -> None:
    with open_browser_window(browser, server.url) as shown:
        page, done = shown.page, Effort(shown)
        page.add_init_script(KEEP_PRINTING)
        set_up_server(done, find_set_up_path(server))
        token = create_organization(done)
        ask_questions(TestOrganization(server, "seva-trust", token, ""), openai)
        done.click(page.get_by_role("navigation", name="Pages").get_by_role("link", name="Organizations"))
        done.check_page("Organizations")
        assert "Key refused by OpenAI" in read_row(page)
        assert read_row(page).endswith(" 3 1 Switch off")
        done.click(page.get_by_role("link", name="Report"))
        done.check_page("Report")
        assert " 3 2 2 (66.7%)" in read_row(page)
        done.click(page.get_by_role("button", name="Print"))
        assert page.evaluate("window.printed")
        page.emulate_media(media="print")
        expect(page.get_by_text("Use of ChatGPT")).to_be_visible()
        expect(page.get_by_role("button")).to_have_count(0)
        assert " 3 2 2 (66.7%)" in read_row(page)
    assert done.clicks <= MAX_CLICKS
    assert done.fields <= MAX_FIELDS
