"""A flow that an NGO has: what would change is shown first, and nothing but a flow is taken."""

import html
import re
from typing import Any

import httpx2
import pytest

from glific_gpt.console.views.convert_flow import ONE_AT_A_TIME
from glific_gpt.flows import files, rules
from tests.console.flow_files import PAGE, downloaded, old_flow, webhooks
from tests.console.people import Person
from tests.console.test_ready_flow import tokens
from tests.console.test_use_in_glific import TOKEN, status_with
from tests.support.house import Ngo

CONVERT, PREVIEW = f"{PAGE}/convert", f"{PAGE}/convert/preview"
MEBIBYTE = 1024 * 1024


def send(
    person: Person, content: bytes, *, to: str = CONVERT, part: bool = False, place: str = "instead"
) -> httpx2.Response:
    return person.upload(to, "flow", content, name="helpline.json", part=part, let_in="token", place=place)


def identity(export: dict[str, Any]) -> tuple[str, str, list[str]]:
    """What Glific takes once alone."""
    flow = export["flows"][0]
    return flow["definition"]["uuid"], flow["definition"]["name"], flow["keywords"]


def error(answer: httpx2.Response) -> str:
    """What is said at the field."""
    found = re.search(r'id="flow-error"[^>]*>([^<]*)<', answer.text)
    assert found, answer.text[:2000]
    return html.unescape(found[1])


def test_a_converted_flow_calls_here_with_a_token_of_its_own(editor: Person, alice: Ngo) -> None:
    answer = send(editor, old_flow())
    (webhook,) = webhooks(downloaded(answer))
    assert (webhook["method"], "/webhooks/alice/parse_via_chat_gpt" in webhook["url"]) == ("POST", True)
    (token,) = set(TOKEN.findall(answer.text))
    assert status_with(alice, token) == 200
    assert answer.headers["Content-Disposition"] == "attachment; filename=helpline-converted.json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert token not in editor.get(PAGE).text


def test_in_the_old_ones_place_it_is_the_same_flow(editor: Person) -> None:
    before = old_flow()
    assert identity(downloaded(send(editor, before))) == identity(files.parse_export(before))
    text = html.unescape(send(editor, before, to=PREVIEW, part=True).text)
    assert "Keep the file that you exported, to go back to. Delete the old flow in Glific" in text
    assert "New names" not in text


def test_beside_the_old_flow_it_is_another_one(editor: Person) -> None:
    before = old_flow()
    export = downloaded(send(editor, before, place="beside"))
    uuid, name, keywords = identity(export)
    assert (name, keywords) == ("Farmers' helpline (own key)", ["farmown"])
    assert (uuid != identity(files.parse_export(before))[0], rules.find_violations(export)) == (True, [])
    text = html.unescape(send(editor, before, to=PREVIEW, part=True, place="beside").text)
    for said in ("New names", '"Farmers\' helpline (own key)" in this file', "send draft:farmown to try it"):
        assert said in text


def test_unless_chosen_otherwise_the_live_flow_stays(editor: Person) -> None:
    assert re.search(r'<input checked[^>]* name="place"[^>]* value="beside"', editor.get(PAGE).text)
    answer = editor.upload(CONVERT, "flow", old_flow(), let_in="token")
    assert identity(downloaded(answer))[2] == ["farmown"]
    assert editor.upload(CONVERT, "flow", old_flow(), let_in="token", place="elsewhere").status_code == 422


@pytest.mark.parametrize("part", [False, True])
def test_what_would_change_is_shown_and_no_token_is_made(editor: Person, part: bool) -> None:
    answer = send(editor, old_flow(), to=PREVIEW, part=part)
    text = html.unescape(answer.text)
    assert answer.status_code == 200
    assert ("<html" in text) is not part
    for said in ("1 node will call this server.", "Changes", "Farmers' helpline", "parse_via_chat_gpt"):
        assert said in text
    assert not TOKEN.search(text)
    assert tokens(editor.get(PAGE).text) == 1


def test_what_stays_is_shown_with_why(editor: Person) -> None:
    text = html.unescape(send(editor, old_flow("speech_to_text"), to=PREVIEW).text)
    assert "Nothing would change" in text
    assert "speech never goes through this server" in text


def test_where_nothing_changes_there_is_nothing_to_download(editor: Person) -> None:
    answer = send(editor, old_flow("speech_to_text"))
    assert "Nothing would change" in html.unescape(answer.text)
    assert "Content-Disposition" not in answer.headers
    assert tokens(answer.text) == 1


@pytest.mark.parametrize("content", [b"", b"hello", b"[]", b'{"flows": []}', b"\xff\xfe", b'{"flows": [{}]}'])
def test_what_is_no_flow_is_said_at_the_field_in_one_sentence(editor: Person, content: bytes) -> None:
    for path in (CONVERT, PREVIEW):
        refused = send(editor, content, to=path)
        assert refused.status_code == 422
        assert error(refused).count(".") <= 2
        assert tokens(refused.text) == 1
    part = send(editor, content, to=PREVIEW, part=True)
    assert (part.status_code, error(part)) == (200, error(refused))


def test_without_a_file_it_asks_for_one(editor: Person) -> None:
    for path in (CONVERT, PREVIEW):
        assert error(editor.post(path, {"let_in": "token"})) == "Choose a file."


def test_a_large_flow_is_taken_here_and_nowhere_else(editor: Person) -> None:
    large = old_flow(padding=4 * MEBIBYTE)
    assert len(webhooks(downloaded(send(editor, large)))) == 1
    assert editor.upload(f"{PAGE}/flow", "name", large).status_code == 413


def test_a_flow_that_is_too_large_is_told_so_at_its_field(editor: Person) -> None:
    for path, part in ((CONVERT, False), (PREVIEW, False), (PREVIEW, True)):
        refused = send(editor, old_flow(padding=5 * MEBIBYTE + 100_000), to=path, part=part)
        assert "larger than 5 MiB" in error(refused)


def test_one_file_is_converted_at_a_time_so_that_webhooks_are_answered(editor: Person, alice: Ngo) -> None:
    with ONE_AT_A_TIME:
        for path in (CONVERT, PREVIEW):
            refused = send(editor, old_flow(), to=path)
            assert (refused.status_code, tokens(refused.text)) == (503, 1)
            assert error(refused) == "The server is converting another file. Try again in a moment."
        assert "Another file is being converted" in send(editor, old_flow(), to=PREVIEW, part=True).text
        assert status_with(alice, alice.token) == 200
    for content in (b"no flow", old_flow(), old_flow()):
        last = send(editor, content)
    assert webhooks(downloaded(last))


def test_what_there_is_to_mind_is_said_before_the_download(editor: Person, alice: Ngo) -> None:
    alice.switch_key(on=False)
    said = "key is switched off: switch it on to get answers."
    assert editor.get(PAGE).text.count(said) == 2
    text = html.unescape(send(editor, old_flow(), to=PREVIEW, part=True).text)
    assert said in text
    assert 'revoke the token "Flow: Farmers\' helpline" and make the flow anew' in text
    assert "which Glific cannot reach" in text
    assert "revoke the token" not in send(editor, old_flow("speech_to_text"), to=PREVIEW, part=True).text


def test_what_there_is_to_mind_is_said_in_hindi_too(editor: Person, alice: Ngo) -> None:
    alice.switch_key(on=False)
    editor.post("/console/language", {"language": "hi"})
    text = html.unescape(send(editor, old_flow(), to=PREVIEW, part=True).text)
    assert "The file holds a webhook token" not in text
    assert "Flow: Farmers' helpline" in text


def test_a_file_in_another_field_is_refused(editor: Person) -> None:
    for path in (CONVERT, PREVIEW):
        assert editor.upload(path, "let_in", old_flow()).status_code == 415


def test_a_file_name_is_text(editor: Person) -> None:
    answer = editor.upload(CONVERT, "flow", old_flow(), name='../"><script>.json', let_in="token")
    name = answer.headers["Content-Disposition"]
    assert files.parse_export(answer.content)
    assert "\n" not in name
    assert "<script" not in editor.get(PAGE).text.partition('id="tokens"')[2]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("C:\\Users\\Asha\\helpline.json", "helpline-converted.json"),
        ("/home/asha/helpline.json", "helpline-converted.json"),
        ("help\x85line\u202e.json", "helpline-converted.json"),
        ("exports/", "alice-converted.json"),
    ],
)
def test_of_a_file_name_its_last_part_is_kept(editor: Person, name: str, kept: str) -> None:
    answer = editor.upload(CONVERT, "flow", old_flow(), name=name, let_in="token")
    assert answer.headers["Content-Disposition"] == f"attachment; filename={kept}"


def test_a_viewer_converts_nothing(viewer: Person) -> None:
    assert "Editors and owners can convert flows." in viewer.get(PAGE).text
    for path in (CONVERT, PREVIEW):
        assert send(viewer, old_flow(), to=path).status_code == 403
