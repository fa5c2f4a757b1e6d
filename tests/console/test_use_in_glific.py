"""Use in Glific: values to copy, and webhook tokens."""

import html
import json
import re
from datetime import date

import httpx2
import pytest
import sqlalchemy as sa

from glific_gpt.database import db, transaction
from glific_gpt.organizations import store, tokens
from tests.console.flow_files import BY_HAND, CHECK, CONVERT, PAGE, TOKENS
from tests.console.users import ConsoleUser
from tests.support import http
from tests.support.glific_stand_in import GlificStandIn
from tests.support.server import RunningServer, TestOrganization

TOKEN = re.compile(r"ggw_[A-Za-z0-9_-]{43}")


def copied(answer: httpx2.Response, name: str) -> str:
    """Return the text that the copy button copies."""
    found = re.search(rf'<(?:code|pre) id="{name}"[^>]*>(.*?)</(?:code|pre)>', answer.text, re.DOTALL)
    assert found, name
    return html.unescape(found[1])


def make_token(person: ConsoleUser, label: str = "Menu flow") -> httpx2.Response:
    return person.post(TOKENS, {"label": label})


def status_with(alice: TestOrganization, token: str) -> int:
    return alice.post({"question_text": "Hi"}, headers={"Authorization": f"Bearer {token}"}).status_code


def everything_stored(server: RunningServer) -> str:
    with server.app.app_context(), db.engine.connect() as connection:
        return "".join(str(connection.execute(table.select()).all()) for table in sa.inspect(db.metadata).sorted_tables)


def test_a_node_with_the_copied_values_gets_an_answer(viewer: ConsoleUser, alice: TestOrganization) -> None:
    page = viewer.get(BY_HAND)
    assert (copied(page, "method"), copied(page, "result")) == ("POST", "gpt_response")
    url, body = copied(page, "url"), json.loads(copied(page, "body"))
    assert url.endswith("/webhooks/alice/parse_via_chat_gpt")
    assert copied(page, "url-auto") == f"{url}?mode=auto"
    assert (copied(page, "header-name"), copied(page, "type-name")) == ("Authorization", "Content-Type")
    filled = {"contact": {"id": 21}, "results": {}, "flow_id": "5", "question_text": "What is ORS?"}
    answer = alice.post(body | filled)
    assert answer.json()["parsed_msg"] == "Hello from the stand-in."
    assert (body["flow_id"], body["contact"]) == ("@flow.id", "@contact")
    assert copied(page, "parsed-msg") == "@results.gpt_response.parsed_msg"


def test_the_example_body_names_the_default_model(viewer: ConsoleUser, alice: TestOrganization) -> None:
    alice.change(default_model="gpt-4.1-mini")
    assert json.loads(copied(viewer.get(BY_HAND), "body"))["gpt_model"] == "gpt-4.1-mini"


def test_the_body_of_a_waiting_flow_has_its_time_out(viewer: ConsoleUser) -> None:
    page = viewer.get(BY_HAND)
    immediate, later = json.loads(copied(page, "body")), json.loads(copied(page, "body-auto"))
    assert later == immediate | {"wait_seconds": 120}


def test_a_new_token_is_shown_once_and_works(
    server: RunningServer, editor: ConsoleUser, alice: TestOrganization
) -> None:
    made = make_token(editor)
    token = copied(made, "new-token")
    assert (made.status_code, made.headers["Cache-Control"]) == (200, "no-store")
    assert copied(made, "header") == f"Bearer {token}"
    assert status_with(alice, token) == 200
    again = editor.get(TOKENS)
    assert "Menu flow" in again.text
    assert not TOKEN.search(again.text)
    assert copied(editor.get(BY_HAND), "header") == "Bearer PASTE-YOUR-TOKEN-HERE"
    assert token not in everything_stored(server) + str(editor.client.cookies.jar)


def test_a_revoked_token_is_refused_on_the_next_call(editor: ConsoleUser, alice: TestOrganization) -> None:
    token = copied(make_token(editor), "new-token")
    assert status_with(alice, token) == 200
    revoke = re.findall(rf'action="({TOKENS}/\d+/revoke)"', editor.get(TOKENS).text)[-1]
    assert editor.post(revoke).headers["Location"] == TOKENS
    assert status_with(alice, token) == 401
    page = editor.get(TOKENS).text
    assert "It no longer works" in page
    assert "Menu flow" not in page


def test_the_list_shows_when_each_token_was_last_used(
    server: RunningServer, editor: ConsoleUser, alice: TestOrganization
) -> None:
    make_token(editor)
    make_token(editor)
    with server.app.app_context(), transaction() as session:
        used, old, _new = tokens.list_webhook_tokens(session, store.find(session, alice.slug))
        used.last_used_on, old.uses_recorded = date(2026, 11, 20), False
    page = editor.get(TOKENS).text
    assert re.findall(r'<td data-label="Last used">(?:<span title[^>]*>)?(20 Nov 2026|never|unknown)<', page) == [
        "20 Nov 2026",
        "unknown",
        "never",
    ]


def test_the_token_of_another_organization_cannot_be_revoked(
    editor: ConsoleUser, alice: TestOrganization, bob: TestOrganization
) -> None:
    bobs = 2
    pages = []
    for token_id in (bobs, 4711):
        assert editor.post(f"{TOKENS}/{token_id}/revoke").headers["Location"] == TOKENS
        pages.append(editor.get(TOKENS).text)
        assert "token was already revoked" in pages[-1]
    assert bob.ask().status_code == alice.ask().status_code == 200
    assert editor.post(f"{TOKENS}/{2**31}/revoke").status_code == 404


def test_a_token_needs_a_label(editor: ConsoleUser) -> None:
    for label in ("", "   ", "x" * 101, "nul\x00", "\x1c"):
        refused = make_token(editor, label)
        assert refused.status_code == 422
        assert 'id="label-error"' in refused.text
        assert not TOKEN.search(refused.text)
    assert editor.get(TOKENS).text.count("/revoke") == 1


def test_markup_in_a_label_is_escaped(editor: ConsoleUser) -> None:
    page = make_token(editor, '"><script>alert(1)</script>').text
    assert "<script>alert" not in page
    assert "&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert '“"' not in page


def test_a_viewer_can_read_but_not_change_anything(viewer: ConsoleUser, alice: TestOrganization) -> None:
    page = viewer.get(TOKENS).text
    assert "/revoke" not in page
    assert 'name="label"' not in page
    assert make_token(viewer).status_code == 403
    assert viewer.post(f"{TOKENS}/1/revoke").status_code == 403
    assert alice.ask().status_code == 200


def test_it_shows_if_glific_is_connected(viewer: ConsoleUser, alice: TestOrganization, glific: GlificStandIn) -> None:
    assert "Connect your Glific." in viewer.get(BY_HAND).text
    alice.connect(glific)
    page = viewer.get(BY_HAND).text
    assert "Connect your Glific." not in page
    assert "Your Glific is connected" in page


def test_it_warns_if_the_webhook_signature_is_required(viewer: ConsoleUser, alice: TestOrganization) -> None:
    assert "a token alone is not enough" not in viewer.get(BY_HAND).text
    alice.change(require_signature=True)
    assert "a token alone is not enough" in viewer.get(BY_HAND).text


def test_the_page_contains_no_secrets(editor: ConsoleUser, alice: TestOrganization) -> None:
    alice.set_phrase("a phrase of alice and glific")
    page = "".join(editor.get(tab).text for tab in (PAGE, CONVERT, CHECK, BY_HAND, TOKENS))
    for secret in (alice.token, alice.key, alice.key[-10:], "a phrase of alice"):
        assert secret not in page


def test_the_page_of_another_organization_is_not_found(editor: ConsoleUser, bob: TestOrganization) -> None:
    for slug in (bob.slug, "nobody"):
        page = TOKENS.replace("alice", slug)
        assert (editor.get(page).status_code, editor.post(page, {"label": "x"}).status_code) == (404, 404)


def test_the_number_of_tokens_is_limited(editor: ConsoleUser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MAX_TOKENS", 1)
    refused = make_token(editor)
    assert refused.status_code == 409
    assert re.search(r'id="label-error"[^>]*>This organization has 100 webhook tokens already', refused.text)
    assert "Menu flow" not in editor.get(TOKENS).text.replace('value="Menu flow"', "")


@pytest.mark.parametrize("name", ["parse_via_gpt_vision", "filesearch-gpt"])
def test_each_function_has_an_address_and_a_body_to_copy(
    viewer: ConsoleUser, alice: TestOrganization, name: str
) -> None:
    alice.change(vector_store_id="vs_of_alice", default_model="gpt-3.5-turbo")
    assert f'href="{BY_HAND}?function={name}"' in viewer.get(BY_HAND).text
    page = viewer.get(f"{BY_HAND}?function={name}")
    assert copied(page, "url").endswith(f"/webhooks/alice/{name}")
    assert copied(page, "url-auto") == copied(page, "url") + "?mode=auto"
    body, later = (json.loads(copied(page, part)) for part in ("body", "body-auto"))
    assert later == body | {"wait_seconds": 120}
    function = alice.server.services.functions.get(name)
    assert function.flow_values.items() <= body.items()
    pictures = page.text.partition('id="by-hand"')[2]
    assert f"…/{name}" in pictures
    assert "parse_via_chat_gpt" not in pictures.replace("?function=parse_via_chat_gpt", "")
    saved = {value.split(".")[1] for value in function.flow_values.values()}
    assert set(re.findall(r"\b(?:picture|question)_1\b", pictures)) == saved
    assert (body["gpt_model"], body["flow_id"]) == ("gpt-4o-mini", "@flow.id")
    assert body.get("vector_store_id") == ("vs_of_alice" if "vector_store_id" in function.settings else None)
    filled = {field: function.example[field] for field in function.flow_values}
    url = alice.url_of(name)
    call = body | filled | {"contact": {"id": 21}, "results": {}, "flow_id": "5"}
    assert http.post(url, json=call, headers={"Authorization": f"Bearer {alice.token}"}).status_code == 200
    assert f"@results.gpt_response.{function.answer_key}" in page.text


def test_each_tab_links_to_the_others_and_is_short(viewer: ConsoleUser) -> None:
    tabs = (PAGE, CONVERT, CHECK, BY_HAND, TOKENS)
    for tab in tabs:
        main = viewer.get(tab).text.partition("<main")[2].partition("</main>")[0]
        assert [url for url in tabs if f'href="{url}"' in main] == list(tabs)
        assert re.findall(r'aria-current="page" href="([^"?]*)"', main)[0] == tab
        assert main.count("<section") + main.count('id="tokens"') == 1


def test_tokens_with_one_label_are_numbered(editor: ConsoleUser) -> None:
    for _ in range(3):
        make_token(editor)
    assert re.findall(r">(Menu flow[^<]*)</td>", editor.get(TOKENS).text) == [
        "Menu flow",
        "Menu flow (2)",
        "Menu flow (3)",
    ]
    long = "x" * 100
    make_token(editor, long)
    assert "x" * 96 + " (2)" in make_token(editor, long).text


def test_an_unknown_function_has_no_page(viewer: ConsoleUser) -> None:
    assert viewer.get(f"{BY_HAND}?function=nothing").status_code == 404
