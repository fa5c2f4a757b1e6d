"""The journey of a programme officer, from the invitation to a downloaded flow: its clicks, and the fields to fill."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from glific_gpt.flows import files, rules
from tests.console.effort import Effort
from tests.console.invitations import CHOSEN_PASSWORD, find_link
from tests.console.users import ConsoleUser
from tests.support.chromium import open_browser_window
from tests.support.openai_stand_in import OpenAIStandIn

MAX_CLICKS, MAX_FIELDS = 8, 5
MEMBERS = "/console/organizations/alice/members"
PROMPT = "You advise mothers of babies."


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_flow_is_downloaded_with_few_clicks_and_fields(
    owner: ConsoleUser, browser: Browser, openai: OpenAIStandIn, tmp_path: Path
) -> None:
    link = find_link(owner.post(MEMBERS, {"email": "meena@alice.example.org", "role": "editor"}))
    with open_browser_window(browser, owner.server.url, width=390) as shown:
        page, done = shown.page, Effort(shown)
        shown.open(link)
        done.check_page("New password")
        done.fill(page.get_by_label("New password", exact=True), CHOSEN_PASSWORD)
        done.fill(page.get_by_label("Repeat the new password"), CHOSEN_PASSWORD)
        done.click(page.get_by_role("button", name="Save password"))
        done.check_page("Overview")
        done.click(page.get_by_role("main").get_by_role("link", name="Try it").first)
        done.fill(page.get_by_label("Question"), "How much salt is in ORS?")
        done.fill(page.get_by_label("Prompt"), PROMPT)
        done.click(page.get_by_role("button", name="Ask the question"))
        done.check_page("Try it")
        done.click(page.get_by_role("button", name="Use this in my flow"))
        done.check_page("Use it in Glific")
        flow = done.download(page.get_by_role("button", name="Download flow"), tmp_path)
    export = files.parse_export(flow.read_bytes())
    assert rules.find_violations(export) == []
    assert PROMPT in str(export)
    assert done.clicks <= MAX_CLICKS
    assert done.fields <= MAX_FIELDS


def test_a_typed_password_can_be_shown_and_is_hidden_before_it_is_sent(owner: ConsoleUser, browser: Browser) -> None:
    with open_browser_window(browser, owner.server.url) as shown:
        shown.open("/console/account/sign-in")
        field = shown.page.get_by_label("Password", exact=True)
        field.fill("a wrong password")
        button = shown.page.get_by_role("button", name="Show the typed value")
        button.click()
        expect(field).to_have_attribute("type", "text")
        expect(button).to_have_text("Hide")
        shown.page.get_by_label("E-mail").fill(owner.email)
        shown.page.get_by_role("button", name="Sign in").click()
        expect(field).to_have_attribute("type", "password")
        expect(shown.page.get_by_text("The e-mail address or the password is wrong.")).to_be_visible()
        assert shown.accessibility_violations() == []
