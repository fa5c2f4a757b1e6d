"""Ready flows, conversion and setup test in a browser."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from glific_gpt.flows import files, rules
from glific_gpt.flows.simulator import Conversation
from glific_gpt.operations.ready_flows.http_sender import HttpSender
from tests.console.flow_files import CHECK, CONVERT, PAGE, export_old_flow, find_webhook_actions
from tests.console.test_check_up import questions
from tests.console.users import ConsoleUser
from tests.support import openai_behaviours as behaviours
from tests.support.chromium import Window, open_browser_window
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(params=[(1280, "light", "en-GB"), (390, "dark", "en-GB"), (390, "light", "hi-IN")])
def every_light(browser: Browser, front_editor: ConsoleUser, request: pytest.FixtureRequest) -> Iterator[Window]:
    width, theme, language = request.param
    with open_browser_window(browser, front_editor.server.url, width=width, theme=theme, language=language) as shown:
        shown.add_cookies(front_editor.client.cookies.jar)
        yield shown


@pytest.fixture
def shown(browser: Browser, front_editor: ConsoleUser) -> Iterator[Window]:
    with open_browser_window(browser, front_editor.server.url) as opened:
        opened.add_cookies(front_editor.client.cookies.jar)
        opened.open(PAGE)
        yield opened


def save(shown: Window, button: str, folder: Path) -> Path:
    with shown.page.expect_download() as download:
        shown.page.get_by_role("button", name=button).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_downloaded_flow_answers_questions(shown: Window, openai: OpenAIStandIn, tmp_path: Path) -> None:
    openai.always(behaviours.answer("Half a teaspoon, and six of sugar."))
    shown.page.get_by_role("textbox", name="Keyword").fill("ors")
    path = save(shown, "Download flow", tmp_path)
    export = files.parse_export(path.read_bytes())
    assert (path.name, rules.find_violations(export)) == ("ors.json", [])
    conversation = Conversation(export, send=HttpSender())
    conversation.start("ors")
    for _ in range(2):
        conversation.send_text("How much salt goes into a litre of ORS?")
        assert "Half a teaspoon, and six of sugar." in conversation.messages[-1]
    assert (conversation.problems, len(openai.requests)) == ([], 2)
    button = shown.page.get_by_role("button", name="Download flow")
    expect(button).to_be_enabled(timeout=5000)
    assert shown.violations == []


def test_a_wrong_keyword_is_an_error_of_its_field_and_others_are_corrected(shown: Window) -> None:
    keyword = shown.page.get_by_role("textbox", name="Keyword")
    keyword.fill("Ask Me!")
    keyword.blur()
    expect(keyword).to_have_value("askme")
    keyword.fill("end")
    shown.page.get_by_role("button", name="Download flow").click()
    expect(shown.page.locator("#keyword-error")).to_contain_text("END")
    assert keyword.input_value() == "end"
    assert shown.accessibility_violations() == []


def test_the_preview_keeps_the_chosen_file(shown: Window, tmp_path: Path) -> None:
    chosen = tmp_path / "helpline.json"
    chosen.write_bytes(export_old_flow())
    shown.open(CONVERT)
    file = shown.page.get_by_label("Exported flow")
    file.set_input_files(chosen)
    shown.page.get_by_role("button", name="Preview changes").click()
    expect(shown.page.get_by_text("1 node will call this server.")).to_be_visible()
    assert file.input_value().endswith("helpline.json")
    path = save(shown, "Convert and download", tmp_path)
    assert find_webhook_actions(files.parse_export(path.read_bytes()))[0]["method"] == "POST"
    assert shown.violations == []


def test_a_wrong_or_large_file_is_an_error_in_the_page(shown: Window, tmp_path: Path) -> None:
    wrong = tmp_path / "photo.json"
    wrong.write_bytes(b"no flow")
    shown.open(CONVERT)
    file = shown.page.get_by_label("Exported flow")
    file.set_input_files(wrong)
    shown.page.get_by_role("button", name="Preview changes").click()
    expect(shown.page.locator("#flow-error")).to_contain_text("not JSON")
    large = tmp_path / "large.json"
    large.write_bytes(b"x" * (5 * 1024 * 1024 + 1))
    file.set_input_files(large)
    expect(shown.page.locator("#flow-error")).to_have_count(0)
    assert "larger than 5 MiB" in file.evaluate("field => field.validationMessage")
    assert shown.violations == []


def test_a_running_test_shows_its_progress(shown: Window, openai: OpenAIStandIn, front: RunningServer) -> None:
    openai.will(behaviours.respond_after(1, behaviours.answer("Four.")))
    shown.open(CHECK)
    button = shown.page.locator("#check-up").get_by_role("button", name="Test the whole setup")
    before = time.monotonic()
    button.click()
    expect(shown.page.get_by_text("Testing. This can take 30 seconds.")).to_be_visible()
    expect(button).to_be_disabled()
    verdict = shown.page.locator("#check-up-results .alert")
    expect(verdict).to_contain_text("Contacts get answers", timeout=15_000)
    assert time.monotonic() - before > 1
    expect(verdict).to_be_focused()
    expect(shown.page.get_by_text("Testing. This can take 30 seconds.")).to_be_hidden()
    expect(button).to_be_enabled()


def test_the_second_button_runs_the_test_without_a_question(shown: Window, openai: OpenAIStandIn) -> None:
    shown.open(CHECK)
    shown.page.get_by_role("button", name="Test without a question").click()
    expect(shown.page.get_by_text("No question was asked.")).to_be_visible(timeout=15_000)
    assert questions(openai) == []


def test_the_test_results_are_accessible(every_light: Window, openai: OpenAIStandIn, tmp_path: Path) -> None:
    shown, page = every_light, every_light.page
    chosen = tmp_path / "helpline.json"
    chosen.write_bytes(export_old_flow())
    shown.open(CONVERT)
    page.locator("#flow").set_input_files(chosen)
    page.locator("#convert [hx-post]").click()
    page.locator("#conversion .note").first.wait_for()
    assert (shown.accessibility_violations(), shown.overflow()) == ([], 0)
    shown.open(CHECK)
    openai.will(behaviours.answer("A" * 300 + " and **more**."))
    page.locator("#check-up .btn-primary").click()
    page.locator("#check-up-results .wa").wait_for()
    assert (shown.accessibility_violations(), shown.overflow(), shown.violations, shown.foreign) == ([], 0, [], set())


def test_the_values_to_enter_by_hand_are_accessible_and_can_be_copied(every_light: Window, tmp_path: Path) -> None:
    shown, page = every_light, every_light.page
    chosen = tmp_path / "helpline.json"
    chosen.write_bytes(export_old_flow())
    shown.open(CONVERT)
    page.locator("#flow").set_input_files(chosen)
    page.locator('#convert input[value="in-place"]').check(force=True)
    page.locator("#convert .btn-primary").click()
    page.locator("#edit-method-1").wait_for()
    assert page.locator("#edit-method-1").inner_text() == "POST"
    assert "Bearer ggw_" in page.locator("#conversion").inner_text()
    assert (shown.accessibility_violations(), shown.overflow(), shown.violations, shown.foreign) == ([], 0, [], set())
