"""A flow that is ready: what is in the file, who may have it, and that nothing of it is left behind."""

import html
import re

import httpx2
import pytest

from glific_gpt.flows import rules
from tests.console.flow_files import PAGE, downloaded, webhooks
from tests.console.people import Person
from tests.console.test_use_in_glific import TOKEN, everything_stored, status_with
from tests.support.glific_stand_in import GlificStandIn
from tests.support.house import House, Ngo

FILLED = {"mode": "sync", "name": "Ask Alice", "keyword": "ask", "model": "gpt-4o", "let_in": "token"}


def download(person: Person, **fields: str) -> httpx2.Response:
    return person.post(f"{PAGE}/flow", FILLED | fields)


def filled_in(page: str) -> dict[str, str]:
    """What the form of the page holds before anybody has changed it."""
    form = page.partition(f'action="{PAGE}/flow')[2].partition("</form>")[0]
    typed = re.findall(r'<input[^>]*name="(name|keyword)"[^>]*value="([^"]*)"', form)
    chosen = re.findall(r'<input checked[^>]*name="(mode|let_in)"[^>]*value="([^"]*)"', form)
    model = re.findall(r'<option selected value="([^"]*)"', form)
    return dict(typed + chosen) | {"model": model[0]}


def tokens(page: str) -> int:
    return page.count("/revoke")


def test_the_form_is_filled_in_with_what_gives_a_flow_that_glific_takes(editor: Person) -> None:
    assert filled_in(editor.get(PAGE).text) == FILLED
    answer = download(editor)
    export = downloaded(answer)
    assert rules.find_violations(export) == []
    assert (export["flows"][0]["keywords"], export["flows"][0]["definition"]["name"]) == (["ask"], "Ask Alice")
    assert answer.headers["Content-Disposition"] == "attachment; filename=ask.json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"].startswith("application/json")


def test_the_token_in_the_file_lets_the_flow_in_and_is_nowhere_else(
    house: House, editor: Person, alice: Ngo, capfd: pytest.CaptureFixture[str]
) -> None:
    before = editor.get(PAGE).text
    (token,) = set(TOKEN.findall(download(editor).text))
    assert status_with(alice, token) == 200
    after = editor.get(PAGE).text
    assert tokens(after) == tokens(before) + 1
    assert "Flow: Ask Alice" in after
    logged = "".join(capfd.readouterr())
    audit = editor.get("/console/organizations/alice/audit").text
    assert "Flow: Ask Alice" in html.unescape(audit)
    assert token not in before + after + logged + audit + everything_stored(house) + str(editor.client.cookies.jar)


def test_a_flow_that_may_wait_calls_otherwise(editor: Person) -> None:
    urls = {mode: webhooks(downloaded(download(editor, mode=mode)))[0]["url"] for mode in ("sync", "auto")}
    assert "mode=" not in urls["sync"]
    assert "?mode=auto&" in urls["auto"]


def test_the_page_says_what_a_flow_that_waits_still_needs(viewer: Person, alice: Ngo, glific: GlificStandIn) -> None:
    def form() -> str:
        return viewer.get(PAGE).text.partition('id="ready-flow"')[2].partition("</form>")[0]

    assert "Connect your Glific." in form()
    alice.connect(glific)
    assert "your Glific is connected" in form()


def test_a_flow_that_the_signature_lets_in_holds_no_token(editor: Person, alice: Ngo) -> None:
    assert "No signature phrase is set here yet" in editor.get(PAGE).text
    alice.set_phrase("a phrase of alice and glific")
    page = editor.get(PAGE).text
    assert "No signature phrase is set here yet" not in page
    (webhook,) = webhooks(downloaded(download(editor, let_in="signature")))
    assert "Authorization" not in webhook["headers"]
    assert tokens(editor.get(PAGE).text) == tokens(page)


def test_an_organization_that_requires_the_signature_is_offered_nothing_else(editor: Person, alice: Ngo) -> None:
    alice.change(require_signature=True)
    page = editor.get(PAGE).text
    assert filled_in(page)["let_in"] == "signature"
    assert 'value="token"' not in page
    refused = download(editor, let_in="token")
    assert (refused.status_code, tokens(refused.text)) == (422, tokens(page))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", " ", "Write a name"),
        ("name", "x" * 101, "100 characters at most"),
        ("name", "nul\x00", "cannot be used"),
        ("keyword", "", "Write a word of letters or digits"),
        ("keyword", "!?", "Write a word of letters or digits"),
        ("keyword", "Ask-Me now", "without spaces and signs: askmenow"),
        ("keyword", "end", "People type END"),
        ("keyword", "k" * 51, "50 characters at most"),
        ("model", "whisper-1", "Not a valid choice"),
    ],
)
def test_what_glific_would_refuse_is_said_at_its_field(editor: Person, field: str, value: str, said: str) -> None:
    refused = download(editor, **{field: value})
    assert refused.status_code == 422
    error = re.search(rf'id="{field}-error"[^>]*>([^<]*)<', refused.text)
    assert error
    assert said in html.unescape(error[1])
    assert tokens(refused.text) == 1


def test_what_the_form_does_not_offer_is_refused(editor: Person) -> None:
    for field, value in {"mode": "async", "let_in": "nobody"}.items():
        assert download(editor, **{field: value}).status_code == 422
    assert tokens(editor.get(PAGE).text) == 1


def test_a_keyword_in_hindi_is_the_name_of_the_file(editor: Person) -> None:
    answer = download(editor, keyword="पूछो", name="पूछो")
    assert downloaded(answer)["flows"][0]["keywords"] == ["पूछो"]
    assert "filename*=UTF-8''%E0%A4%AA" in answer.headers["Content-Disposition"]


def test_only_allowed_models_are_offered(editor: Person, alice: Ngo) -> None:
    alice.change(allowed_models=["gpt-4.1*"], default_model="gpt-4.1-mini")
    assert filled_in(editor.get(PAGE).text)["model"] == "gpt-4.1-mini"
    assert '"gpt_model": "gpt-4.1"' in webhooks(downloaded(download(editor, model="gpt-4.1")))[0]["body"]
    assert download(editor, model="gpt-4o").status_code == 422
    alice.change(allowed_models=[])
    assert "Allow a model on the Models page." in editor.get(PAGE).text


def test_a_viewer_reads_who_can_download_flows(viewer: Person) -> None:
    page = viewer.get(PAGE).text
    assert "Editors and owners can download flows." in page
    assert page.count("<fieldset disabled>") == 3
    assert download(viewer).status_code == 403
