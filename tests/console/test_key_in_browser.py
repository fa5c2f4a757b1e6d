"""The page of the OpenAI key in a browser: testing without leaving it, being asked before the switch goes off."""

from playwright.sync_api import expect

from tests.console.conftest import OpenWindow
from tests.console.people import Person
from tests.support.house import Ngo
from tests.support.openai_errors import refuse_key
from tests.support.openai_stand_in import OpenAIStandIn

PAGE = "/console/organizations/alice/openai"
KEY = "sk-proj-typed-9876543210-WXYZ"


def test_a_test_answers_in_the_page_and_keeps_what_is_typed(
    open_window: OpenWindow, editor: Person, openai: OpenAIStandIn
) -> None:
    shown = open_window(editor)
    shown.open(PAGE)
    page = shown.page
    page.get_by_label("API key").fill(KEY)
    page.get_by_role("button", name="Test key").click()
    expect(page.get_by_text("OpenAI accepts this key. It reaches 16 text models.")).to_be_visible()
    openai.for_key(KEY, refuse_key())
    page.get_by_role("button", name="Test key").click()
    expect(page.get_by_text("OpenAI does not accept")).to_be_visible()
    assert page.get_by_label("API key").input_value() == KEY
    assert shown.violations == []


def test_a_test_whose_answer_does_not_come_leaves_no_older_one(open_window: OpenWindow, editor: Person) -> None:
    shown = open_window(editor)
    shown.open(PAGE)
    page = shown.page
    page.get_by_role("button", name="Test key").click()
    expect(page.get_by_text("OpenAI accepts the saved key.")).to_be_visible()
    page.context.set_offline(True)
    page.get_by_role("button", name="Test key").click()
    expect(page.locator("#said")).to_have_text("The request failed. Try again in a moment.")


def test_what_is_typed_is_shown_only_while_wanted(open_window: OpenWindow, editor: Person) -> None:
    shown = open_window(editor)
    shown.open(PAGE)
    field, button = shown.page.locator("#api_key"), shown.page.locator("[data-secret]")
    assert field.get_attribute("type") == "password"
    button.click()
    assert (field.get_attribute("type"), button.get_attribute("aria-pressed")) == ("text", "true")
    button.click()
    assert (field.get_attribute("type"), button.get_attribute("aria-pressed")) == ("password", "false")


def test_the_switch_goes_off_only_after_a_yes(open_window: OpenWindow, editor: Person, alice: Ngo) -> None:
    shown = open_window(editor)
    shown.open(PAGE)
    page = shown.page
    page.get_by_label("Is active").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_contain_text("Every flow that asks gets the fallback text instead")
    page.get_by_role("button", name="Cancel").click()
    assert alice.ask().status_code == 200
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("OpenAI is switched off")).to_be_visible()
    assert alice.ask("And now?").json()["error_code"] == "credential_inactive"
    assert shown.violations == []
