"""Download of a ready flow: content, access and secrets."""

import html
import json
import re

import httpx2
import pytest

from glific_gpt.flows import rules
from glific_gpt.flows.building import Language, default_prompt
from glific_gpt.organizations import tokens as token_store
from tests.console.flow_files import PAGE, TOKENS, find_webhook_actions, parse_download
from tests.console.test_use_in_glific import TOKEN, everything_stored, status_with
from tests.console.users import ConsoleUser
from tests.support.glific_stand_in import GlificStandIn
from tests.support.server import RunningServer, TestOrganization

FILLED = {"mode": "sync", "name": "Ask Alice", "keyword": "ask", "model": "gpt-4o", "auth_method": "token"} | {
    "language": "en"
}


def download(person: ConsoleUser, **fields: str) -> httpx2.Response:
    return person.post(f"{PAGE}/flow", FILLED | fields)


def filled_in(page: str) -> dict[str, str]:
    """Return the default values of the form."""
    form = page.partition(f'action="{PAGE}/flow')[2].partition("</form>")[0]
    typed = re.findall(r'<input[^>]*name="(name|keyword)"[^>]*value="([^"]*)"', form)
    chosen = re.findall(r'<input checked[^>]*name="(mode|auth_method|language)"[^>]*value="([^"]*)"', form)
    model = re.findall(r'<option selected value="([^"]*)"', form)
    return dict(typed + chosen) | {"model": model[0]}


def tokens(editor: ConsoleUser) -> int:
    return editor.get(TOKENS).text.count("/revoke")


def test_the_default_values_give_a_valid_flow(editor: ConsoleUser) -> None:
    assert filled_in(editor.get(PAGE).text) == FILLED
    answer = download(editor)
    export = parse_download(answer)
    assert rules.find_violations(export) == []
    assert (export["flows"][0]["keywords"], export["flows"][0]["definition"]["name"]) == (["ask"], "Ask Alice")
    assert answer.headers["Content-Disposition"] == "attachment; filename=ask.json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"].startswith("application/json")


def test_the_token_in_the_file_works_and_is_stored_nowhere_else(
    server: RunningServer, editor: ConsoleUser, alice: TestOrganization, capfd: pytest.CaptureFixture[str]
) -> None:
    before = editor.get(TOKENS).text
    (token,) = set(TOKEN.findall(download(editor).text))
    assert status_with(alice, token) == 200
    after = editor.get(TOKENS).text
    assert after.count("/revoke") == before.count("/revoke") + 1
    assert "Flow: Ask Alice" in after
    logged = "".join(capfd.readouterr())
    audit = editor.get("/console/organizations/alice/audit").text
    assert "Flow: Ask Alice" in html.unescape(audit)
    assert token not in before + after + logged + audit + everything_stored(server) + str(editor.client.cookies.jar)


def test_a_flow_that_waits_calls_with_mode_auto(editor: ConsoleUser) -> None:
    urls = {
        mode: find_webhook_actions(parse_download(download(editor, mode=mode)))[0]["url"] for mode in ("sync", "auto")
    }
    assert "mode=" not in urls["sync"]
    assert "?mode=auto&" in urls["auto"]


def test_a_flow_has_memory_if_it_is_chosen(editor: ConsoleUser) -> None:
    bodies = [
        json.loads(find_webhook_actions(parse_download(download(editor, **fields)))[0]["body"])
        for fields in ({}, {"memory": "y"})
    ]
    assert [body.get("thread_id") for body in bodies] == [None, "@results.gpt_response.thread_id"]
    assert bodies[1].items() >= bodies[0].items()


def test_a_waiting_flow_without_a_connection_gives_a_warning(
    viewer: ConsoleUser, alice: TestOrganization, glific: GlificStandIn
) -> None:
    def form() -> str:
        return viewer.get(PAGE).text.partition('id="ready-flow"')[2].partition("</form>")[0]

    assert "Connect your Glific." in form()
    alice.connect(glific)
    assert "Your Glific is connected" in form()


def test_a_flow_with_the_webhook_signature_contains_no_token(editor: ConsoleUser, alice: TestOrganization) -> None:
    assert "No webhook signature is set yet" in editor.get(PAGE).text
    alice.set_phrase("a phrase of alice and glific")
    before = tokens(editor)
    assert "No webhook signature is set yet" not in editor.get(PAGE).text
    (webhook,) = find_webhook_actions(parse_download(download(editor, auth_method="signature")))
    assert "Authorization" not in webhook["headers"]
    assert tokens(editor) == before


def test_a_required_signature_is_the_only_choice(editor: ConsoleUser, alice: TestOrganization) -> None:
    alice.change(require_signature=True)
    page = editor.get(PAGE).text
    assert filled_in(page)["auth_method"] == "signature"
    assert 'value="token"' not in page
    refused = download(editor, auth_method="token")
    assert (refused.status_code, tokens(editor)) == (422, 1)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", " ", "Write a name"),
        ("name", "x" * 101, "at most 100 characters"),
        ("name", "nul\x00", "cannot be stored"),
        ("keyword", "", "Write one word of letters or digits"),
        ("keyword", "!?", "Write one word of letters or digits"),
        ("keyword", "end", "Contacts type END"),
        ("keyword", "k" * 51, "at most 50 characters"),
        ("model", "whisper-1", "Not a valid choice"),
        ("prompt", "x" * 20_001, "at most 20,000 characters"),
        ("prompt", "nul\x00", "cannot be stored"),
        ("prompt", "Greet @contact.nameजी", "Glific does not fill @contact.name here"),
    ],
)
def test_a_value_that_glific_would_refuse_is_an_error_of_its_field(
    editor: ConsoleUser, field: str, value: str, said: str
) -> None:
    refused = download(editor, **{field: value})
    assert refused.status_code == 422
    error = re.search(rf'id="{field}-error"[^>]*>([^<]*)<', refused.text)
    assert error
    assert said in html.unescape(error[1])
    assert tokens(editor) == 1


def test_values_that_are_not_offered_are_refused(editor: ConsoleUser) -> None:
    for field, value in {"mode": "async", "auth_method": "nobody", "language": "fr"}.items():
        assert download(editor, **{field: value}).status_code == 422
    assert tokens(editor) == 1


def test_a_keyword_is_corrected_to_what_glific_stores(editor: ConsoleUser) -> None:
    assert parse_download(download(editor, keyword=" Ask-Me now"))["flows"][0]["keywords"] == ["askmenow"]


def test_a_keyword_in_hindi_is_the_name_of_the_file(editor: ConsoleUser) -> None:
    answer = download(editor, keyword="पूछो", name="पूछो")
    assert parse_download(answer)["flows"][0]["keywords"] == ["पूछो"]
    assert "filename*=UTF-8''%E0%A4%AA" in answer.headers["Content-Disposition"]


def test_only_allowed_models_are_offered(editor: ConsoleUser, alice: TestOrganization) -> None:
    alice.change(allowed_models=["gpt-4.1*"], default_model="gpt-4.1-mini")
    assert filled_in(editor.get(PAGE).text)["model"] == "gpt-4.1-mini"
    assert (
        '"gpt_model": "gpt-4.1"' in find_webhook_actions(parse_download(download(editor, model="gpt-4.1")))[0]["body"]
    )
    assert download(editor, model="gpt-4o").status_code == 422
    alice.change(allowed_models=[])
    assert "Allow a model on the Models page." in editor.get(PAGE).text


def test_a_viewer_cannot_download_flows(viewer: ConsoleUser) -> None:
    page = viewer.get(PAGE).text
    assert "Editors and owners can download flows." in page
    assert page.count("<fieldset disabled>") == 1
    assert download(viewer).status_code == 403


def test_a_download_that_needs_one_token_too_many_says_so(editor: ConsoleUser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_store, "MAX_TOKENS", 1)
    refused = download(editor)
    assert refused.status_code == 409
    assert "This organization has 100 webhook tokens already" in refused.text
    assert tokens(editor) == 1


def test_a_flow_answers_from_documents_if_it_is_chosen(editor: ConsoleUser) -> None:
    (action,) = find_webhook_actions(parse_download(download(editor, documents="y")))
    assert "/alice/filesearch-gpt?" in action["url"]
    assert "cannot search documents" in download(editor, documents="y", model="gpt-3.5-turbo").text


def test_a_flow_has_the_prompt_and_the_language_that_are_chosen(editor: ConsoleUser) -> None:
    answer = download(editor, prompt="  You advise mothers.\r\nBe kind. ", language="hi")
    (action,) = find_webhook_actions(parse_download(answer))
    assert json.loads(action["body"])["prompt"] == "You advise mothers.\nBe kind."
    assert "नमस्ते" in answer.text


def test_the_language_of_the_page_is_suggested(editor: ConsoleUser) -> None:
    editor.client.headers["Accept-Language"] = "hi"
    page = editor.get(PAGE).text
    assert filled_in(page)["language"] == "hi"
    assert default_prompt(Language.HINDI) in page
    assert "शब्द" in download(editor, keyword="बंद", language="hi").text


def test_a_test_question_fills_in_the_form(editor: ConsoleUser, alice: TestOrganization) -> None:
    alice.change(allowed_models=["gpt-4o", "gpt-4.1"])
    question = {"question_text": "What is ORS?", "prompt": 'Say "hi" <b>.', "model": "gpt-4.1", "memory": "y"}
    tried = editor.post("/console/organizations/alice/try-it", question | {"response_format": "text"}).text
    form = tried.partition(f'action="{PAGE}/flow/form')[2].partition("</form>")[0]
    sent = {
        name: html.unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
        if name != "csrf_token"
    }
    assert sent == {"model": "gpt-4.1", "prompt": 'Say "hi" <b>.', "memory": "y"}
    page = editor.post(f"{PAGE}/flow/form", sent).text
    assert filled_in(page)["model"] == "gpt-4.1"
    assert html.escape('Say "hi" <b>.', quote=False).replace('"', "&#34;") in page
    assert re.search(r'<input [^>]*checked [^>]*name="memory"', page)
    assert not re.search(r'<input [^>]*checked [^>]*name="documents"', page)
    assert tokens(editor) == 1


def test_a_model_that_is_not_allowed_is_not_filled_in(editor: ConsoleUser) -> None:
    page = editor.post(f"{PAGE}/flow/form", {"model": "whisper-1", "documents": "y"}).text
    assert filled_in(page)["model"] == "gpt-4o"
    assert re.search(r'<input [^>]*checked [^>]*name="documents"', page)


def test_the_tokens_of_two_flows_with_one_name_have_different_labels(editor: ConsoleUser) -> None:
    for _ in range(3):
        download(editor)
    labels = re.findall(r">(Flow: [^<]*)<", editor.get(TOKENS).text)
    assert labels == ["Flow: Ask Alice", "Flow: Ask Alice (2)", "Flow: Ask Alice (3)"]
