"""End-to-end test in a browser: from the first sign-in of an administrator to the first answered call."""

import re
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.users import PASSWORD, create_user
from tests.support import http
from tests.support.chromium import Window, open_browser_window
from tests.support.openai_behaviours import answer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TIMEOUT_SECONDS, RunningServer

OWNER = "asha@seva-trust.example.org"
KEY = "sk-proj-the-key-that-asha-pastes-0123456789"
QUESTION = "How much salt goes into a litre of ORS?"


def sign_in(page: Page, email: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def copied(page: Page, what: str) -> str:
    """Return the clipboard after a click on a copy button."""
    button = page.get_by_role("button", name=f"Copy: {what}", exact=True).locator("visible=true").first
    button.click()
    expect(button).to_contain_text("Copied")
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def create_organization(shown: Window) -> str:
    """Create an organization. Return the one-time link of its owner."""
    page = shown.page
    shown.open("/")
    sign_in(page, "admin@example.org")
    page.get_by_role("link", name="New organization").first.click()
    page.get_by_label(re.compile("^Name")).fill("Seva Trust")
    expect(page.get_by_label(re.compile("^Short name"))).to_have_value("seva-trust")
    page.get_by_label(re.compile("e-mail", re.IGNORECASE)).fill(OWNER)
    page.get_by_role("button", name="Create organization").click()
    link = copied(page, "One-time link")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    return link


def accept_owner_invitation(page: Page, url: str, link: str) -> None:
    page.goto(url + "/console/account/reset/" + link.rpartition("/")[2])
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("Repeat the new password").fill(PASSWORD)
    page.get_by_role("button", name="Save password").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def save_key(page: Page) -> None:
    page.get_by_role("link", name="OpenAI (ChatGPT)").first.click()
    page.get_by_label("API key").fill(KEY)
    page.get_by_label("Is active").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("...6789").first).to_be_visible()
    assert KEY not in page.content()


def choose_model(page: Page) -> None:
    page.get_by_role("link", name="Models", exact=True).click()
    page.get_by_label("Only these models").check()
    page.get_by_label("Patterns, one on each line").fill("gpt-4o*")
    expect(page.get_by_text(re.compile(r"gpt-4o, gpt-4o-mini"))).to_be_visible()
    page.get_by_role("button", name="Save list").click()
    expect(page.get_by_label("Patterns, one on each line")).to_have_value("gpt-4o*")


def copy_webhook_values(page: Page) -> tuple[str, dict[str, str], str]:
    """Return the URL, the headers and the function body."""
    page.get_by_role("link", name="Use it in Glific").click()
    page.get_by_role("link", name="Tokens").click()
    page.get_by_label(re.compile("^Label of the token")).fill("Helpline")
    page.get_by_role("button", name="Create token").click()
    token = copied(page, "the value of the header Authorization")
    page.get_by_role("link", name="By hand").click()
    headers = {
        copied(page, "the name of the first header"): token,
        copied(page, "the name of the second header"): copied(page, "the value of the second header"),
    }
    return copied(page, "the URL"), headers, copied(page, "the function body")


def fill_in_variables(body: str) -> str:
    """Return the function body with its variables filled in."""
    known = {
        '"@contact"': '{"id": 21, "name": "Ravi"}',
        '"@results"': "{}",
        "@flow.id": "5",
        "@results.question_1.input": QUESTION,
    }
    for variable, value in known.items():
        body = body.replace(variable, value)
    return body


def send_question(server: RunningServer, url: str, headers: dict[str, str], body: str) -> dict[str, str]:
    path = httpx2.URL(url).path
    reply = http.post(server.url + path, content=fill_in_variables(body), headers=headers, timeout=TIMEOUT_SECONDS)
    told: dict[str, str] = reply.json()
    return told


def expect_row_in_calls(page: Page, call_id: str) -> None:
    page.get_by_role("link", name="Calls", exact=True).click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("Answered")
    page.get_by_role("row").nth(1).get_by_role("link").first.click()
    expect(page.get_by_role("main")).to_contain_text(call_id)


@pytest.mark.timeout(180)
def test_from_the_first_sign_in_to_the_first_answered_call(
    server: RunningServer, openai: OpenAIStandIn, browser: Browser, tmp_path: Path
) -> None:
    create_user(server, "admin@example.org")
    openai.always(answer("Half a teaspoon, and six of sugar."))
    with open_browser_window(browser, server.url) as shown:
        link = create_organization(shown)
    with open_browser_window(browser, server.url) as shown:
        page = shown.page
        accept_owner_invitation(page, server.url, link)
        save_key(page)
        choose_model(page)
        url, headers, body = copy_webhook_values(page)
        told = send_question(server, url, headers, body)
        assert told["parsed_msg"] == "Half a teaspoon, and six of sugar."
        expect_row_in_calls(page, told["call_id"])
        assert (shown.violations, shown.foreign) == ([], set())
    assert {asked.api_key for asked in openai.requests} == {KEY}
    assert openai.requests[-1].body["messages"][-1]["content"] == QUESTION
