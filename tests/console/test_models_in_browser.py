"""Models page in a browser: search, matches and ticks."""

import pytest
from playwright.sync_api import expect

from tests.console.conftest import OpenWindow
from tests.console.users import ConsoleUser
from tests.support.chromium import Window
from tests.support.server import TestOrganization

PAGE = "/console/organizations/alice/models"


@pytest.fixture
def shown(open_window: OpenWindow, editor: ConsoleUser, alice: TestOrganization) -> Window:
    """Open the page after the models of the key were loaded."""
    editor.post(f"{PAGE}/refresh")
    editor.get(PAGE)
    opened = open_window(editor)
    opened.open(PAGE)
    return opened


def test_the_search_filters_models_while_typing(shown: Window) -> None:
    page = shown.page
    page.get_by_label("Find a model").fill("4O-MINI")
    expect(page.locator("tr[data-model]:visible")).to_have_count(2)
    expect(page.locator("li[data-model]:visible")).to_have_text(["gpt-4o-mini-tts"])
    page.get_by_label("Find a model").fill("claude")
    expect(page.get_by_text("No model matches this search.")).to_be_visible()
    assert shown.violations == []


def test_matches_are_shown_while_typing_a_pattern(shown: Window) -> None:
    page = shown.page
    page.get_by_label("Find a model").fill("gpt-5")
    page.get_by_label("Only these models").check()
    page.get_by_label("Patterns, one on each line").press_sequentially("gpt-5*")
    expect(page.get_by_text("4 of 16 text models may be used.")).to_be_visible()
    expect(page.locator("#matches")).to_contain_text("This list does not allow the default model gpt-4o")
    expect(page.locator('[data-tick="gpt-5-mini"]')).to_be_checked()
    expect(page.locator("tr[data-model]:visible")).to_have_count(4)
    assert shown.violations == []


def test_ticks_are_written_into_the_list(shown: Window, alice: TestOrganization) -> None:
    page = shown.page
    page.get_by_label("No models").check()
    expect(page.get_by_text("0 of 16 text models may be used.")).to_be_visible()
    page.locator('[data-tick="gpt-4o"]').check()
    expect(page.get_by_text("1 of 16 text models may be used.")).to_be_visible()
    page.locator('[data-tick="o3"]').check()
    expect(page.get_by_text("2 of 16 text models may be used.")).to_be_visible()
    page.locator('[data-tick="gpt-4o"]').uncheck()
    expect(page.get_by_text("1 of 16 text models may be used.")).to_be_visible()
    assert page.get_by_label("Patterns, one on each line").input_value() == "o3"
    page.get_by_role("button", name="Save list").click()
    expect(page.get_by_text("Saved. Used from the next call.")).to_be_visible()
    assert alice.ask(model="gpt-4o").json()["error_code"] == "model_not_allowed"
    assert alice.ask(model="o3").status_code == 200


def test_removing_a_tick_under_all_lists_the_other_models(shown: Window) -> None:
    page = shown.page
    page.locator('[data-tick="o3"]').uncheck()
    expect(page.get_by_text("15 of 16 text models may be used.")).to_be_visible()
    expect(page.get_by_label("Only these models")).to_be_checked()
    expect(page.locator('[data-tick="o3"]')).to_be_focused()
    assert "o3" not in page.get_by_label("Patterns, one on each line").input_value().splitlines()
