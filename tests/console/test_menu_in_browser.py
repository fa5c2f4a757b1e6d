"""The menu on a small screen, and messages that can be closed."""

from playwright.sync_api import expect

from tests.console.conftest import OpenWindow
from tests.console.users import ConsoleUser


def test_the_menu_of_a_small_screen_opens_and_closes(owner: ConsoleUser, open_window: OpenWindow) -> None:
    shown = open_window(owner, width=390)
    shown.open("/console/organizations/alice")
    menu, link = shown.page.get_by_role("button", name="Menu"), shown.page.get_by_role("link", name="Calls")
    expect(link).to_be_hidden()
    menu.click()
    expect(link).to_be_visible()
    expect(menu).to_have_attribute("aria-expanded", "true")
    menu.click()
    expect(link).to_be_hidden()
    expect(menu).to_have_attribute("aria-expanded", "false")


def test_sign_out_is_visible_below_a_menu_that_is_longer_than_the_window(
    administrator: ConsoleUser, open_window: OpenWindow
) -> None:
    shown = open_window(administrator)
    shown.page.set_viewport_size({"width": 1280, "height": 600})
    shown.open("/console/organizations/alice")
    expect(shown.page.get_by_role("link", name="Models for everyone")).not_to_be_in_viewport()
    expect(shown.page.get_by_role("button", name="Sign out")).to_be_in_viewport(ratio=1)


def test_a_message_can_be_closed(owner: ConsoleUser, open_window: OpenWindow) -> None:
    shown = open_window(owner)
    shown.open("/console/organizations/alice/settings")
    shown.page.get_by_role("button", name="Save").first.click()
    close = shown.page.get_by_role("button", name="Close")
    close.click()
    expect(close).to_be_hidden()
