"""Use in Glific, test questions and the Glific connection in a browser."""

import json

from playwright.sync_api import expect

from tests.console.conftest import OpenWindow
from tests.console.users import ConsoleUser
from tests.support import openai_behaviours as behaviours
from tests.support.chromium import Window
from tests.support.glific_stand_in import PASSWORD, PHONE, GlificStandIn
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization

HERE = "/console/organizations/alice"


def copy(shown: Window, what: str) -> str:
    """Return the clipboard after a click on a copy button."""
    shown.page.get_by_role("button", name=f"Copy: {what}", exact=True).click()
    text: str = shown.page.evaluate("navigator.clipboard.readText()")
    return text


def test_the_copy_buttons_give_a_working_node(
    open_window: OpenWindow, editor: ConsoleUser, alice: TestOrganization
) -> None:
    shown = open_window(editor)
    shown.open(f"{HERE}/use-in-glific")
    shown.page.get_by_role("link", name="By hand").click()
    by_hand = shown.page.locator("#by-hand")
    assert copy(shown, "the URL").endswith("/webhooks/alice/parse_via_chat_gpt")
    by_hand.get_by_text("Up to 2 minutes (the flow waits)").click()
    assert copy(shown, "the URL").endswith("/webhooks/alice/parse_via_chat_gpt?mode=auto")
    expect(by_hand.get_by_text("Connect your Glific.")).to_be_visible()
    body = json.loads(copy(shown, "the function body")) | {"question_text": "Hi", "contact": {}, "results": {}}
    shown.page.get_by_role("link", name="Create a token").click()
    shown.page.get_by_label("Label of the token").fill("Menu flow")
    shown.page.get_by_role("button", name="Create token").click()
    header = copy(shown, "the value of the header Authorization")
    assert alice.post(body, headers={"Authorization": header}).status_code == 200
    assert shown.violations == []


def test_revoking_a_token_needs_a_confirmation(
    open_window: OpenWindow, editor: ConsoleUser, alice: TestOrganization
) -> None:
    shown = open_window(editor, width=390)
    shown.open(f"{HERE}/use-in-glific/tokens")
    shown.page.get_by_role("button", name="Revoke", exact=True).click()
    dialog = shown.page.get_by_role("dialog")
    expect(dialog).to_contain_text("get no answers from their next call")
    dialog.get_by_role("button", name="Cancel").click()
    assert alice.ask().status_code == 200
    shown.page.get_by_role("button", name="Revoke", exact=True).click()
    dialog.get_by_role("button", name="Revoke token").click()
    expect(shown.page.get_by_text("No tokens yet")).to_be_visible()
    assert alice.ask().status_code == 401


def test_a_question_can_be_asked_by_keyboard_and_the_answer_gets_the_focus(
    open_window: OpenWindow, editor: ConsoleUser, openai: OpenAIStandIn
) -> None:
    openai.will(behaviours.respond_after(0.5, behaviours.answer("**Water** <img src=x onerror=document.title='run'>")))
    shown = open_window(editor, width=390, theme="dark")
    shown.open(f"{HERE}/try-it")
    shown.page.get_by_label("Question").fill("What is ORS?")
    ask = shown.page.get_by_role("button", name="Ask the question")
    ask.press("Enter")
    expect(shown.page.locator("#bubble b")).to_have_text("Water")
    expect(shown.page.locator("#answer")).to_be_focused()
    assert shown.page.locator("#bubble img").count() == 0
    assert "run" not in shown.page.title()
    assert (shown.accessibility_violations(), shown.overflow(), shown.violations, shown.foreign) == ([], 0, [], set())


def test_glific_is_connected_and_disconnected(
    open_window: OpenWindow, editor: ConsoleUser, alice: TestOrganization, glific: GlificStandIn
) -> None:
    shown = open_window(editor)
    shown.open(f"{HERE}/glific")
    shown.page.get_by_text("Webhook signature", exact=True).click()
    expect(shown.page.get_by_label("Password", exact=True)).to_be_hidden()
    shown.page.get_by_text("Phone number and password").click()
    shown.page.get_by_label("Address of your Glific API").fill(glific.url)
    shown.page.get_by_label("Phone number", exact=True).fill(f"+{PHONE}")
    shown.page.get_by_label("Password", exact=True).fill(PASSWORD)
    shown.page.get_by_role("button", name="Test and save").click()
    expect(shown.page.get_by_text("Glific accepted the login.")).to_be_visible()
    assert shown.accessibility_violations() == []
    shown.page.get_by_role("button", name="Disconnect").click()
    shown.page.get_by_role("dialog").get_by_role("button", name="Disconnect").click()
    expect(shown.page.get_by_text("Not connected")).to_be_visible()
    assert alice.ask_deferred().json()["error_code"] == "glific_not_connected"
