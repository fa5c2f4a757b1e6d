"""Conversion of flows: preview, download and refused files."""

import html
import re
from threading import Timer
from typing import Any

import httpx2
import pytest

from glific_gpt.console.views import convert_flow
from glific_gpt.console.views.convert_flow import conversion_slot
from glific_gpt.flows import files, rules
from glific_gpt.organizations import tokens as token_store
from tests.console.flow_files import CONVERT, PAGE, TOKENS, export_old_flow, find_webhook_actions, parse_download
from tests.console.test_ready_flow import tokens
from tests.console.test_use_in_glific import TOKEN, status_with
from tests.console.users import ConsoleUser
from tests.support.server import TestOrganization

PREVIEW = f"{CONVERT}/preview"
MEBIBYTE = 1024 * 1024


def send(
    person: ConsoleUser, content: bytes, *, to: str = CONVERT, part: bool = False, place: str = "beside"
) -> httpx2.Response:
    return person.upload(to, "flow", content, name="helpline.json", part=part, auth_method="token", place=place)


def identity(export: dict[str, Any]) -> tuple[str, str, list[str]]:
    """Return the parts that must be unique in Glific."""
    flow = export["flows"][0]
    return flow["definition"]["uuid"], flow["definition"]["name"], flow["keywords"]


def error(answer: httpx2.Response) -> str:
    """Return the error of the file field."""
    found = re.search(r'id="flow-error"[^>]*>([^<]*)<', answer.text)
    assert found, answer.text[:2000]
    return html.unescape(found[1])


def test_a_converted_flow_calls_this_server_with_its_own_token(editor: ConsoleUser, alice: TestOrganization) -> None:
    answer = send(editor, export_old_flow())
    (webhook,) = find_webhook_actions(parse_download(answer))
    assert (webhook["method"], "/webhooks/alice/parse_via_chat_gpt" in webhook["url"]) == ("POST", True)
    (token,) = set(TOKEN.findall(answer.text))
    assert status_with(alice, token) == 200
    assert answer.headers["Content-Disposition"] == "attachment; filename=helpline-converted.json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert token not in editor.get(PAGE).text


def test_in_place_shows_what_to_enter_in_each_node(editor: ConsoleUser, alice: TestOrganization) -> None:
    preview = html.unescape(send(editor, export_old_flow(), to=PREVIEW, part=True, place="in-place").text)
    assert "Open the flow in Glific's editor, and change each of these nodes as listed." in preview
    assert "New names" not in preview
    assert tokens(editor) == 1
    answer = send(editor, export_old_flow(), place="in-place")
    text = html.unescape(answer.text)
    assert "Content-Disposition" not in answer.headers
    assert (answer.status_code, "no-store" in answer.headers["Cache-Control"]) == (200, True)
    for entered in (">POST<", "/webhooks/alice/parse_via_chat_gpt", ">Content-Type<", "It stays as it is."):
        assert entered in text.partition('id="conversion"')[2].partition("</form>")[0]
    (token,) = set(TOKEN.findall(text))
    assert status_with(alice, token) == 200
    assert token not in editor.get(PAGE).text


def test_no_page_advises_to_delete_a_flow(editor: ConsoleUser) -> None:
    for text in (
        editor.get(PAGE).text,
        *(send(editor, export_old_flow(), place=place, to=PREVIEW).text for place in ("beside", "in-place")),
    ):
        assert not re.search("delete the (old )?flow", text, re.IGNORECASE)


def test_the_place_before_this_version_is_refused(editor: ConsoleUser) -> None:
    assert send(editor, export_old_flow(), place="instead").status_code == 422


def test_a_flow_beside_the_old_one_gets_a_new_identity(editor: ConsoleUser) -> None:
    before = export_old_flow()
    export = parse_download(send(editor, before, place="beside"))
    uuid, name, keywords = identity(export)
    assert (name, keywords) == ("Farmers' helpline (own key)", ["farmown"])
    assert (uuid != identity(files.parse_export(before))[0], rules.find_violations(export)) == (True, [])
    text = html.unescape(send(editor, before, to=PREVIEW, part=True, place="beside").text)
    for said in ("New names", '"Farmers\' helpline (own key)" in this file', "send draft:farmown to try it"):
        assert said in text


def test_the_default_keeps_the_live_flow(editor: ConsoleUser) -> None:
    assert re.search(r'<input checked[^>]* name="place"[^>]* value="beside"', editor.get(CONVERT).text)
    answer = editor.upload(CONVERT, "flow", export_old_flow(), auth_method="token")
    assert identity(parse_download(answer))[2] == ["farmown"]
    assert editor.upload(CONVERT, "flow", export_old_flow(), auth_method="token", place="elsewhere").status_code == 422


@pytest.mark.parametrize("part", [False, True])
def test_the_preview_shows_the_changes_and_creates_no_token(editor: ConsoleUser, part: bool) -> None:
    answer = send(editor, export_old_flow(), to=PREVIEW, part=part)
    text = html.unescape(answer.text)
    assert answer.status_code == 200
    assert ("<html" in text) is not part
    for said in ("1 node will call this server.", "Changes", "Farmers' helpline", "parse_via_chat_gpt"):
        assert said in text
    assert not TOKEN.search(text)
    assert tokens(editor) == 1


def test_the_preview_explains_what_stays_unchanged(editor: ConsoleUser) -> None:
    text = html.unescape(send(editor, export_old_flow("speech_to_text"), to=PREVIEW).text)
    assert "There is nothing to convert" in text
    assert "this server does not process speech" in text


def test_there_is_no_download_if_nothing_changes(editor: ConsoleUser) -> None:
    answer = send(editor, export_old_flow("speech_to_text"))
    assert "There is nothing to convert" in html.unescape(answer.text)
    assert "Content-Disposition" not in answer.headers
    assert tokens(editor) == 1


@pytest.mark.parametrize("content", [b"", b"hello", b"[]", b'{"flows": []}', b"\xff\xfe", b'{"flows": [{}]}'])
def test_an_invalid_file_is_explained_beside_its_field(editor: ConsoleUser, content: bytes) -> None:
    for path in (CONVERT, PREVIEW):
        refused = send(editor, content, to=path)
        assert refused.status_code == 422
        assert error(refused).count(".") <= 3
        assert tokens(editor) == 1
    part = send(editor, content, to=PREVIEW, part=True)
    assert (part.status_code, error(part)) == (200, error(refused))


def test_a_missing_file_is_an_error(editor: ConsoleUser) -> None:
    for path in (CONVERT, PREVIEW):
        assert error(editor.post(path, {"auth_method": "token"})) == "Choose a file."


def test_only_the_conversion_accepts_large_files(editor: ConsoleUser) -> None:
    large = export_old_flow(padding=4 * MEBIBYTE)
    assert len(find_webhook_actions(parse_download(send(editor, large)))) == 1
    assert editor.upload(f"{PAGE}/flow", "name", large).status_code == 413


def test_a_file_that_is_too_large_is_an_error_of_its_field(editor: ConsoleUser) -> None:
    for path, part in ((CONVERT, False), (PREVIEW, False), (PREVIEW, True)):
        refused = send(editor, export_old_flow(padding=5 * MEBIBYTE + 100_000), to=path, part=part)
        assert "larger than 5 MiB" in error(refused)


def test_only_one_file_is_converted_at_a_time(
    editor: ConsoleUser, alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convert_flow, "CONVERSION_TIMEOUT_SECONDS", 0.1)
    assert conversion_slot.acquire("bob", 0)
    try:
        for path in (CONVERT, PREVIEW):
            refused = send(editor, export_old_flow(), to=path)
            assert (refused.status_code, tokens(editor)) == (503, 1)
            assert error(refused) == "The server is converting another file. Try again in a moment."
        assert "The server is converting another file" in send(editor, export_old_flow(), to=PREVIEW, part=True).text
        assert status_with(alice, alice.token) == 200
    finally:
        conversion_slot.release()
    for content in (b"no flow", export_old_flow(), export_old_flow()):
        last = send(editor, content)
    assert find_webhook_actions(parse_download(last))


def test_a_conversion_waits_for_that_of_another_organization(editor: ConsoleUser) -> None:
    assert conversion_slot.acquire("bob", 0)
    Timer(0.5, conversion_slot.release).start()
    assert find_webhook_actions(parse_download(send(editor, export_old_flow())))


def test_warnings_are_shown_before_the_download(editor: ConsoleUser, alice: TestOrganization) -> None:
    alice.switch_key(on=False)
    said = "key is switched off. Switch it on to get answers."
    assert editor.get(CONVERT).text.count(said) == editor.get(PAGE).text.count(said) == 1
    text = html.unescape(send(editor, export_old_flow(), to=PREVIEW).text)
    assert 'revoke the token "Flow: Farmers\' helpline" and create a new flow' in text
    assert [text.count(each) for each in (said, "which Glific cannot reach")] == [1, 1]
    part = html.unescape(send(editor, export_old_flow(), to=PREVIEW, part=True).text)
    assert said not in part, "the form above the preview says it"
    assert "revoke the token" not in send(editor, export_old_flow("speech_to_text"), to=PREVIEW, part=True).text


def test_warnings_are_translated(editor: ConsoleUser, alice: TestOrganization) -> None:
    alice.switch_key(on=False)
    editor.post("/console/language", {"language": "hi"})
    text = html.unescape(send(editor, export_old_flow(), to=PREVIEW, part=True).text)
    assert "The file holds a webhook token" not in text
    assert "Flow: Farmers' helpline" in text


def test_a_file_in_another_field_is_refused(editor: ConsoleUser) -> None:
    for path in (CONVERT, PREVIEW):
        assert editor.upload(path, "auth_method", export_old_flow()).status_code == 415


def test_a_file_name_is_text(editor: ConsoleUser) -> None:
    answer = editor.upload(CONVERT, "flow", export_old_flow(), name='../"><script>.json', auth_method="token")
    name = answer.headers["Content-Disposition"]
    assert files.parse_export(answer.content)
    assert "\n" not in name
    assert "<script" not in editor.get(TOKENS).text.partition('id="tokens"')[2]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("C:\\Users\\Asha\\helpline.json", "helpline-converted.json"),
        ("/home/asha/helpline.json", "helpline-converted.json"),
        ("help\x85line\u202e.json", "helpline-converted.json"),
        ("exports/", "alice-converted.json"),
    ],
)
def test_only_the_last_part_of_a_file_name_is_kept(editor: ConsoleUser, name: str, kept: str) -> None:
    answer = editor.upload(CONVERT, "flow", export_old_flow(), name=name, auth_method="token")
    assert answer.headers["Content-Disposition"] == f"attachment; filename={kept}"


def test_a_viewer_cannot_convert_flows(viewer: ConsoleUser) -> None:
    assert "Editors and owners can convert flows." in viewer.get(CONVERT).text
    for path in (CONVERT, PREVIEW):
        assert send(viewer, export_old_flow(), to=path).status_code == 403


def test_a_conversion_that_needs_one_token_too_many_says_so(
    editor: ConsoleUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_store, "MAX_TOKENS", 1)
    refused = send(editor, export_old_flow())
    assert refused.status_code == 409
    assert error(refused).startswith("This organization has 100 webhook tokens already")
    assert tokens(editor) == 1
