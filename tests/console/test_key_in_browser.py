"""OpenAI page in a browser: key tests and the confirmation before switching off."""

from urllib.parse import parse_qs

from playwright.sync_api import Route, expect

from tests.console.conftest import OpenWindow
from tests.console.users import ConsoleUser
from tests.support.openai_errors import refuse_key, wrong_region
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization

PAGE = "/console/organizations/alice/openai"
KEY = "sk-proj-typed-9876543210-WXYZ"


def test_a_test_keeps_the_typed_key(open_window: OpenWindow, editor: ConsoleUser, openai: OpenAIStandIn) -> None:
    shown = open_window(editor)
    shown.open(PAGE)
    page = shown.page
    page.get_by_label("API key").fill(KEY)
    page.get_by_role("button", name="Test key").click()
    expect(page.get_by_text("OpenAI accepts this key. It has access to 16 text models.")).to_be_visible()
    openai.for_key(KEY, refuse_key())
    page.get_by_role("button", name="Test key").click()
    expect(page.get_by_text("OpenAI refused this key")).to_be_visible()
    assert page.get_by_label("API key").input_value() == KEY
    assert shown.violations == []


def test_one_click_saves_a_key_with_the_address_of_its_region(
    open_window: OpenWindow, editor: ConsoleUser, openai: OpenAIStandIn
) -> None:
    shown = open_window(editor)
    shown.open(PAGE)
    page = shown.page
    openai.for_models(wrong_region())
    page.get_by_label("API key").fill(KEY)
    page.get_by_role("button", name="Test key").click()
    forms: list[dict[str, list[str]]] = []

    def keep(route: Route) -> None:  # the server would ask OpenAI itself
        forms.append(parse_qs(route.request.post_data or ""))
        route.fulfill(body="Saved.")

    page.route(f"**{PAGE}", keep)
    page.get_by_role("button", name="Save with this address").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    (form,) = forms
    assert (form["address"], form["api_key"]) == (["https://in.api.openai.com/v1"], [KEY])


def test_a_failed_test_request_clears_the_older_result(open_window: OpenWindow, editor: ConsoleUser) -> None:
    shown = open_window(editor)
    shown.open(PAGE)
    page = shown.page
    page.get_by_role("button", name="Test key").click()
    expect(page.get_by_text("OpenAI accepts the saved key.")).to_be_visible()
    page.context.set_offline(True)
    page.get_by_role("button", name="Test key").click()
    expect(page.locator("#test-result")).to_have_text("The request failed. Try again in a moment.")


def test_the_typed_key_is_shown_only_while_the_button_is_pressed(open_window: OpenWindow, editor: ConsoleUser) -> None:
    shown = open_window(editor)
    shown.open(PAGE)
    field, button = shown.page.locator("#api_key"), shown.page.locator("[data-secret]")
    expect(field).to_have_attribute("type", "password")
    button.click()
    expect(field).to_have_attribute("type", "text")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(field).to_have_attribute("type", "password")
    expect(button).to_have_attribute("aria-pressed", "false")


def test_switching_off_needs_a_confirmation(
    open_window: OpenWindow, editor: ConsoleUser, alice: TestOrganization
) -> None:
    shown = open_window(editor)
    shown.open(PAGE)
    page = shown.page
    page.get_by_label("Is active").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("Flows get this message instead")
    page.get_by_role("button", name="Cancel").click()
    assert alice.ask().status_code == 200
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("OpenAI is switched off")).to_be_visible()
    assert alice.ask("And now?").json()["error_code"] == "credential_inactive"
    assert shown.violations == []
