"""Call list in a browser: updates and keyboard use."""

import pytest
from playwright.sync_api import expect

from tests.console.conftest import OpenWindow
from tests.console.users import ConsoleUser
from tests.support.call_records import create_call, create_delivery
from tests.support.chromium import Window
from tests.support.server import TestOrganization

HERE = "/console/organizations/alice/calls"


def update(shown: Window) -> None:
    """Trigger the update that normally runs every five seconds."""
    with shown.page.expect_response(lambda answer: answer.url.endswith(HERE)):
        shown.page.clock.run_for(5_500)
    shown.page.clock.run_for(1_000)


def test_a_new_call_appears_and_is_announced(
    alice: TestOrganization, viewer: ConsoleUser, open_window: OpenWindow
) -> None:
    first = create_call(alice)
    shown = open_window(viewer)
    shown.page.clock.install()
    shown.open(HERE)
    second = create_call(alice)
    update(shown)
    expect(shown.page.locator("tr[data-call]")).to_have_count(2)
    assert shown.page.locator("tr[data-call]").evaluate_all("rows => rows.map(row => row.dataset.call)") == [
        second,
        first,
    ]
    assert shown.page.locator("#news").text_content() == "New calls: 1"
    assert (shown.violations, shown.foreign) == ([], set())


def test_a_hidden_page_does_not_update(alice: TestOrganization, viewer: ConsoleUser, open_window: OpenWindow) -> None:
    create_call(alice)
    shown = open_window(viewer)
    shown.page.clock.install()
    shown.page.add_init_script("Object.defineProperty(document, 'hidden', { get: () => window.away === true })")
    shown.open(HERE)
    asked: list[str] = []
    shown.page.on("request", lambda request: asked.append(request.url))
    shown.page.evaluate("window.away = true")
    shown.page.clock.run_for(11_000)
    assert [url for url in asked if url.endswith(HERE)] == []
    shown.page.evaluate("window.away = false")
    update(shown)


def test_an_update_without_changes_keeps_the_page(
    alice: TestOrganization, viewer: ConsoleUser, open_window: OpenWindow
) -> None:
    call_id = create_call(alice)
    shown = open_window(viewer)
    shown.page.clock.install()
    shown.open(HERE)
    shown.page.evaluate("document.querySelector('#calls').dataset.mine = 'yes'")
    update(shown)
    assert shown.page.locator("#calls[data-mine]").count() == 1
    assert shown.page.locator(f"#{call_id}").count() == 1


@pytest.mark.parametrize("width", [1280, 390])
def test_a_row_opens_its_call_by_keyboard(
    alice: TestOrganization, viewer: ConsoleUser, open_window: OpenWindow, width: int
) -> None:
    call_id = create_delivery(alice, "undelivered", status="error", error_code="undelivered")
    shown = open_window(viewer, width=width)
    shown.open(HERE)
    assert (shown.accessibility_violations(), shown.overflow()) == ([], 0)
    shown.page.locator(f"#{call_id}").focus()
    shown.page.keyboard.press("Enter")
    shown.page.wait_for_url(f"**{HERE}/{call_id}")
    assert (shown.accessibility_violations(), shown.overflow(), shown.violations) == ([], 0, [])
