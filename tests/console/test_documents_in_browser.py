"""The page Documents in a browser: upload with progress, indexing without a reload, and deletion."""

import time
from pathlib import Path

from playwright.sync_api import expect

from tests.console.conftest import OpenWindow
from tests.console.users import ConsoleUser
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization

PAGE = "/console/organizations/alice/documents"


def test_a_document_becomes_ready_without_a_reload(
    open_window: OpenWindow, editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn, tmp_path: Path
) -> None:
    openai.documents.indexing_seconds = 2
    store = openai.documents.add_store(alice.key, "rules.pdf")
    document = tmp_path / "dates.txt"
    document.write_text("Apply in May. " * 100_000)
    shown = open_window(editor)
    shown.open(PAGE)
    page = shown.page
    page.evaluate("document.addEventListener('htmx:xhr:progress', () => { window.hasProgress = true; })")
    page.get_by_label("Document", exact=True).set_input_files(document)
    page.get_by_role("button", name="Upload document").click()
    expect(page.get_by_text("The document is at OpenAI")).to_be_visible()
    row = page.locator("tr", has_text="dates.txt")
    expect(row).to_contain_text("Being indexed")
    assert page.evaluate("window.hasProgress")
    started = time.monotonic()
    expect(row).to_contain_text("Ready")
    assert time.monotonic() - started < 15
    expect(page.locator("#stores")).to_contain_text("2 documents")
    row.get_by_role("button", name="Delete").click()
    page.locator("#confirm").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("The document is deleted.")).to_be_visible()
    assert [name for _, name in openai.documents.names_in(alice.key, [store])] == ["rules.pdf"]
    assert shown.violations == []


def test_a_failed_upload_is_reported_and_can_be_repeated(
    open_window: OpenWindow, editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn, tmp_path: Path
) -> None:
    openai.documents.add_store(alice.key)
    document = tmp_path / "dates.txt"
    document.write_text("Apply in May.")
    shown = open_window(editor)
    shown.open(PAGE)
    page = shown.page
    page.get_by_label("Document", exact=True).set_input_files(document)
    page.context.set_offline(True)
    page.get_by_role("button", name="Upload document").click()
    expect(page.get_by_text("The request failed.")).to_be_visible()
    page.context.set_offline(False)
    page.get_by_role("button", name="Upload document").click()
    expect(page.get_by_text("The document is at OpenAI")).to_be_visible()
