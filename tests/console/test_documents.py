"""The page Documents: vector stores and documents at the organization's OpenAI account."""

import re

import pytest

from glific_gpt.audit import trail
from glific_gpt.console.presenters.documents import DocumentsPage
from glific_gpt.console.views import documents
from glific_gpt.database import transaction
from glific_gpt.organizations import store as organizations
from glific_gpt.runtime.fair_semaphore import FairSemaphore
from glific_gpt.settings import MAX_DOCUMENT_BYTES
from tests.console.users import ConsoleUser
from tests.support.openai_behaviours import missing_scopes, never_respond, server_error
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization

PAGE = "/console/organizations/alice/documents"
REMOVE, STORES, DEFAULT = f"{PAGE}/remove", f"{PAGE}/stores", f"{PAGE}/default"


@pytest.fixture
def store(openai: OpenAIStandIn, alice: TestOrganization) -> str:
    """A vector store of Alice's account, with one document."""
    return openai.documents.add_store(alice.key, "rules.pdf")


def default_of(alice: TestOrganization) -> str | None:
    with alice.server.app.app_context(), transaction() as session:
        return organizations.find(session, "alice").vector_store_id


def audit_entries(alice: TestOrganization) -> list[tuple[str, dict[str, str]]]:
    with alice.server.app.app_context(), transaction() as session:
        entries = trail.list_entries(session, organizations.find(session, "alice").id)
    return [(entry.action, entry.detail) for entry in entries if "document" in entry.action or "store" in entry.action]


def names(openai: OpenAIStandIn, alice: TestOrganization, store: str) -> list[str]:
    return [name for _, name in openai.documents.names_in(alice.key, [store])]


def test_without_a_key_it_says_to_add_one(editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.switch_key(on=False)
    page = editor.get(PAGE).text
    assert "/console/organizations/alice/openai" in page
    assert "switched off" in page
    assert not [request for request in openai.requests if "vector" in request.path]


def test_the_first_store_becomes_the_default(editor: ConsoleUser, alice: TestOrganization) -> None:
    assert "No vector store yet" in editor.get(PAGE).text
    answer = editor.post(STORES, {"name": "  Rules of the scheme "})
    first = answer.headers["location"].rpartition("=")[2]
    assert default_of(alice) == first
    assert "Rules of the scheme" in editor.get(PAGE).text
    editor.post(STORES, {"name": "Another"})
    assert default_of(alice) == first
    assert [action for action, _ in audit_entries(alice)].count("vector_store_created") == 2
    assert editor.post(STORES, {"name": " "}).headers["location"] == PAGE


def test_a_new_document_shows_its_own_size_while_openai_indexes_it(
    editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.documents.indexing_seconds = 3600.0
    store = openai.documents.add_store(alice.key)
    editor.upload(PAGE, "document", b"Apply in May. " * 5000, name="dates.txt", store_id=store)
    page = editor.get(f"{PAGE}?store={store}").text
    assert re.findall(r"<td[^>]*>69 KB</td>", page)
    assert "1 document · being indexed" in page
    assert "OpenAI is indexing the documents. Their size is not known yet." in page
    assert "0 KB" not in page


@pytest.mark.parametrize("part", [False, True])
def test_a_document_is_uploaded_and_deleted_at_openai_alone(
    editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn, store: str, part: bool
) -> None:
    content = b"Apply in May. " * 50_000
    answer = editor.upload(
        PAGE, "document", content, name='C:\\Users\\asha\\dates of "May".txt', part=part, store_id=store
    )
    assert answer.status_code == (200 if part else 302)
    page = editor.get(f"{PAGE}?store={store}").text
    assert names(openai, alice, store) == ["rules.pdf", 'dates of "May".txt']
    assert "dates of &#34;May&#34;.txt" in page
    file_id = re.findall(r'data-document="(file-\d+)"', page)[0]
    editor.post(REMOVE, {"store_id": store, "file_id": file_id})
    assert names(openai, alice, store) == ["rules.pdf"]
    details = audit_entries(alice)
    assert details == [
        ("document_removed", {"store": store, "file": file_id}),
        ("document_uploaded", {"store": store, "file": file_id}),
    ]
    assert "no longer at OpenAI" in follow(editor, REMOVE, {"store_id": store, "file_id": file_id})


def follow(person: ConsoleUser, path: str, data: dict[str, str]) -> str:
    return person.get(person.post(path, data).headers["location"]).text


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("numbers.xlsx", b"x", "does not search this type of file"),
        ("no-type", b"x", "does not search this type of file"),
        ("empty.pdf", b"", "This file is empty"),
        ("large.pdf", b"x" * (MAX_DOCUMENT_BYTES + 100_000), "larger than 12 MiB"),
    ],
    ids=["type", "no type", "empty", "large"],
)
@pytest.mark.parametrize("part", [False, True])
def test_a_document_that_cannot_be_used_is_refused_here(
    editor: ConsoleUser, openai: OpenAIStandIn, store: str, name: str, content: bytes, sentence: str, part: bool
) -> None:
    answer = editor.upload(PAGE, "document", content, name=name, part=part, store_id=store)
    assert (answer.status_code in {413, 422}) is not part
    assert sentence in answer.text
    assert not [request for request in openai.requests if request.method == "POST"]


def test_the_default_is_chosen_among_stores_that_the_key_reaches(
    editor: ConsoleUser, alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn, store: str
) -> None:
    foreign = openai.documents.add_store(bob.key, "secret.pdf")
    assert "no longer at OpenAI" in follow(editor, DEFAULT, {"store_id": foreign})
    assert default_of(alice) is None
    assert "Used from the next call" in follow(editor, DEFAULT, {"store_id": store})
    assert default_of(alice) == store
    assert foreign not in editor.get(f"{PAGE}?store={foreign}").text
    follow(editor, DEFAULT, {"store_id": ""})
    assert default_of(alice) is None


def test_a_default_that_is_gone_is_reported(editor: ConsoleUser, alice: TestOrganization, store: str) -> None:
    alice.change(vector_store_id="vs_gone")
    page = editor.get(PAGE).text
    assert "vs_gone" in page
    assert "no longer at your OpenAI account" in page


def test_it_renews_itself_while_a_document_is_indexed(
    editor: ConsoleUser, openai: OpenAIStandIn, alice: TestOrganization, store: str
) -> None:
    assert "every 4s" not in editor.get(PAGE).text
    openai.documents.indexing_seconds = 60
    editor.upload(PAGE, "document", b"x", name="a.txt", store_id=store)
    page = editor.get(f"{PAGE}?store={store}").text
    assert "Being indexed" in page
    assert "every 4s" in page


def test_a_document_that_openai_cannot_read_says_why(editor: ConsoleUser, openai: OpenAIStandIn, store: str) -> None:
    editor.upload(PAGE, "document", b"x", name="slides.rb", store_id=store)
    page = editor.get(f"{PAGE}?store={store}").text
    assert "Not readable" in page
    assert "OpenAI cannot read this type of file" in page


def test_a_long_name_is_shortened_before_its_ending(
    editor: ConsoleUser, openai: OpenAIStandIn, alice: TestOrganization, store: str
) -> None:
    editor.upload(PAGE, "document", b"x", name=f"{'x' * 300}.txt", store_id=store)
    assert names(openai, alice, store)[-1] == f"{'x' * 96}.txt"


def test_viewers_see_documents_and_change_nothing(viewer: ConsoleUser, store: str) -> None:
    page = viewer.get(PAGE).text
    assert "rules.pdf" in page
    assert 'name="document"' not in page
    assert viewer.upload(PAGE, "document", b"x", name="a.txt", store_id=store).status_code == 403


def test_it_says_who_shares_the_stores_in_both_languages(viewer: ConsoleUser, store: str) -> None:
    assert "Everybody with a key of this project reaches them, also another organization." in viewer.get(PAGE).text
    viewer.client.headers["Accept-Language"] = "hi"
    assert "वेक्टर स्टोर आपकी कुंजी के OpenAI प्रोजेक्ट के हैं।" in viewer.get(PAGE).text


def test_a_failure_of_openai_is_shown_on_the_page(
    editor: ConsoleUser, openai: OpenAIStandIn, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glific_gpt.organizations.credentials.documents.LIST_SECONDS", 0.3)
    for behaviour, sentence in (
        (server_error(), "OpenAI"),
        (missing_scopes(), "vector stores"),
        (never_respond(), "OpenAI"),
    ):
        openai.for_documents(behaviour)
        page = editor.get(PAGE)
        assert page.status_code == 200
        assert 'role="alert"' in page.text
        assert sentence in page.text
    openai.reset()


def test_storage_beyond_the_first_gigabyte_has_a_price(editor: ConsoleUser, openai: OpenAIStandIn, store: str) -> None:
    assert "charges nothing for the first 1 GB" in editor.get(PAGE).text
    openai.for_documents(
        lambda exchange: (
            exchange.send_json(200, {"data": [{"id": "vs_1", "usage_bytes": 3 * 2**30}]})
            if exchange.received.path == "/v1/vector_stores"
            else exchange.send_json(200, {"data": []})
        )
    )
    page = editor.get(PAGE).text
    assert "3 GB are indexed" in page
    assert "$0.20 a day" in page


def test_a_test_question_shows_the_cited_documents(
    editor: ConsoleUser, openai: OpenAIStandIn, alice: TestOrganization, store: str
) -> None:
    openai.search()
    alice.change(vector_store_id=store)
    assert "try-it?function=filesearch-gpt" in editor.get(PAGE).text
    path = "/console/organizations/alice/try-it?function=filesearch-gpt"
    answer = editor.post(path, {"question": "When?", "model": "gpt-4o"}).text
    assert "In May." in answer
    assert "Cited documents:" in answer
    assert "rules.pdf" in answer
    refused = editor.post(path, {"question": "When?", "model": "gpt-4o", "vector_store_id": "vs_gone"}).text
    assert refused.count("/console/organizations/alice/documents") == 2  # in the menu, and beside the error


def test_a_refused_upload_holds_no_slot_while_its_page_asks_openai(
    editor: ConsoleUser, alice: TestOrganization, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice.switch_key(on=False)
    slots = FairSemaphore(1, max_waiting=0, max_waiting_of_group=0)
    monkeypatch.setattr(documents, "upload_slots", slots)
    load = documents._load
    were_free: list[bool] = []

    def load_beside_another_upload(slug: str, store_id: str | None) -> DocumentsPage:
        if is_free := slots.acquire("others", 0):
            slots.release()
        were_free.append(is_free)
        return load(slug, store_id)

    monkeypatch.setattr(documents, "_load", load_beside_another_upload)
    answer = editor.upload(PAGE, "document", b"x", name="a.txt", store_id=store)
    assert answer.status_code >= 400
    assert were_free == [True]


def test_a_fifth_upload_at_the_same_time_is_refused_after_a_wait(
    editor: ConsoleUser, openai: OpenAIStandIn, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "SLOT_TIMEOUT_SECONDS", 0.05)
    for _ in range(4):
        assert documents.upload_slots.acquire("others", 0)
    try:
        answer = editor.upload(PAGE, "document", b"x", name="a.txt", store_id=store)
    finally:
        for _ in range(4):
            documents.upload_slots.release()
    assert answer.status_code == 503
    assert "Try again in a moment" in answer.text
    for _ in range(5):  # each upload gives its slot back
        assert editor.upload(PAGE, "document", b"x", name="a.txt", store_id=store).status_code == 302
