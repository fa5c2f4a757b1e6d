"""Models page: allowlist, prices, default model and refresh."""

import html
import re

import pytest

from glific_gpt.database import transaction
from glific_gpt.organizations import store
from tests.console.users import ConsoleUser
from tests.support.openai_answers import answer
from tests.support.openai_errors import refuse_key, unknown_model
from tests.support.openai_exchange import Exchange
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization

PAGE = "/console/organizations/alice/models"
PREVIEW = f"{PAGE}/preview"
DEFAULT = f"{PAGE}/default"
FALLBACK = f"{PAGE}/fallback"
REFRESH = f"{PAGE}/refresh"
TICK = re.compile(r'<input type="checkbox"[^>]*data-tick="([^"]+)"([^>]*)>')


def ticks(page: str) -> dict[str, str]:
    """Return the text models with the attributes of their checkboxes."""
    return {model: rest.strip() for model, rest in TICK.findall(page)}


def only(*patterns: str) -> dict[str, str]:
    return {"scope": "only", "patterns": "\r\n".join(patterns)}


@pytest.fixture
def asked(editor: ConsoleUser, alice: TestOrganization) -> TestOrganization:
    """Load the models of alice's key from OpenAI."""
    assert editor.post(REFRESH).status_code == 302
    return alice


def test_it_shows_every_text_model_that_the_key_reaches_with_its_price(
    viewer: ConsoleUser, asked: TestOrganization
) -> None:
    page = viewer.get(PAGE).text
    assert len(ticks(page)) == 16
    assert "16 of 16 text models may be used." in page
    row = page.partition('data-model="gpt-4o-mini"')[2].partition("</tr>")[0]
    assert ("$0.15" in row, "$0.60" in row) == (True, True)


def test_it_marks_the_models_that_read_pictures_and_search_documents(
    viewer: ConsoleUser, asked: TestOrganization
) -> None:
    page = viewer.get(PAGE).text
    for model, marks in (
        ("gpt-4o-mini", ["reads pictures", "searches documents"]),
        ("gpt-4", []),
    ):
        row = page.partition(f'data-model="{model}"')[2].partition("</tr>")[0]
        assert [mark for mark in ("reads pictures", "searches documents") if mark in row] == marks, model


def test_other_models_are_listed_with_the_reason_and_cannot_be_allowed(
    viewer: ConsoleUser, asked: TestOrganization
) -> None:
    page = viewer.get(PAGE).text
    for model, reason in (("tts-1", "They read text aloud."), ("dall-e-3", "They create pictures.")):
        assert f'data-model="{model}"' in page
        assert reason in page
        assert model not in ticks(page)


def test_a_list_that_somebody_else_has_changed_meanwhile_is_not_replaced_without_a_question(
    editor: ConsoleUser, alice: TestOrganization
) -> None:
    assert '<input type="hidden" name="was-allowed" value="all">' in editor.get(PAGE).text
    alice.change(allowed_models=["gpt-5*"])
    answer = editor.post(PAGE, only("gpt-4o*") | {"was-allowed": "all"})
    assert answer.status_code == 422
    assert "A colleague has changed this list since you opened the page." in answer.text
    assert 'name="was-allowed" value="gpt-5*"' in answer.text
    assert editor.post(PAGE, {"scope": "all", "was-allowed": "all"}).status_code == 302  # nothing was changed
    assert 'name="was-allowed" value="gpt-5*"' in editor.get(PAGE).text
    assert editor.post(PAGE, only("gpt-4o*") | {"was-allowed": "gpt-5*"}).status_code == 302
    assert 'name="was-allowed" value="gpt-4o*"' in editor.get(PAGE).text


@pytest.mark.parametrize(("name", "path"), [("default_model", DEFAULT), ("fallback_model", FALLBACK)])
def test_a_model_that_somebody_else_has_chosen_meanwhile_is_not_replaced_without_a_question(
    editor: ConsoleUser, alice: TestOrganization, name: str, path: str
) -> None:
    def saved() -> str:
        with alice.server.app.app_context(), transaction() as session:
            return str(getattr(store.find(session, alice.slug), name))

    alice.change(**{name: "gpt-4.1"})
    assert f'<input type="hidden" name="was-{name}" value="gpt-4.1">' in editor.get(PAGE).text
    alice.change(**{name: "gpt-4.1-mini"})  # by a colleague, since the page was opened
    answer = editor.post(path, {name: "gpt-5", f"was-{name}": "gpt-4.1"})
    assert (answer.status_code, saved()) == (422, "gpt-4.1-mini")
    assert "A colleague has changed this to “gpt-4.1-mini” since you opened the page." in answer.text
    assert f'name="was-{name}" value="gpt-4.1-mini"' in answer.text
    assert editor.post(path, {name: "gpt-4.1", f"was-{name}": "gpt-4.1"}).status_code == 302  # nothing was changed
    assert saved() == "gpt-4.1-mini"
    assert editor.post(path, {name: "gpt-5", f"was-{name}": "gpt-4.1-mini"}).status_code == 302
    assert saved() == "gpt-5"


def test_an_error_in_one_form_leaves_the_choice_of_the_other(editor: ConsoleUser, alice: TestOrganization) -> None:
    alice.change(default_model="gpt-4.1")
    page = editor.post(FALLBACK, {"fallback_model": "gpt-unknown"})
    assert page.status_code == 422
    assert '<option selected value="gpt-4.1">' in page.text


def test_a_list_cannot_allow_models_that_are_not_text(editor: ConsoleUser, asked: TestOrganization) -> None:
    page = editor.post(PREVIEW, only("tts-1", "*")).text
    assert set(ticks(page)) == set(ticks(editor.get(PAGE).text))
    assert "matches no available text model" in page
    editor.post(PAGE, only("tts-1", "*"))
    assert asked.ask(model="tts-1").json()["error_code"] == "model_not_text"


def test_a_saved_list_is_used_by_the_next_call(editor: ConsoleUser, alice: TestOrganization) -> None:
    assert alice.ask(model="gpt-4o").status_code == 200
    assert editor.post(PAGE, only(" GPT-5* ", "", "o3")).status_code == 302
    assert alice.ask(model="gpt-4o").json()["error_code"] == "model_not_allowed"
    assert alice.ask(model="o3").status_code == 200
    editor.post(PAGE, {"scope": "none", "patterns": "o3"})
    assert alice.ask(model="o3").json()["error_code"] == "model_not_allowed"
    editor.post(PAGE, {"scope": "all", "patterns": "o3"})
    assert alice.ask(model="gpt-4o").status_code == 200


def test_a_saved_list_is_shown_again(editor: ConsoleUser, asked: TestOrganization) -> None:
    editor.post(PAGE, only("gpt-4o*", "gpt-5-mini"))
    page = editor.get(PAGE).text
    assert ">gpt-4o*\ngpt-5-mini</textarea>" in page
    assert re.search(r'value="only" checked', page)
    boxes = ticks(page)
    assert (boxes["gpt-5-mini"], boxes["o3"]) == ("checked", "")
    assert boxes["gpt-4o-mini"] == "checked disabled"
    assert "allowed by gpt-4o*" in page


def test_the_preview_shows_matches_and_saves_nothing(editor: ConsoleUser, asked: TestOrganization) -> None:
    part = editor.post(PREVIEW, only("gpt-4o*", "gpt-9*", "not a valid pattern")).text
    assert "<html" not in part
    assert "gpt-4o, gpt-4o-2024-08-06, gpt-4o-mini" in part
    assert "3 of 16 text models may be used." in part
    assert "matches no available text model" in part
    assert "is not a valid pattern" in part
    assert asked.ask(model="o3").status_code == 200


def test_an_invalid_list_stays_in_the_form(editor: ConsoleUser, alice: TestOrganization) -> None:
    for typed, words in (
        (only("gpt-4o*", "<b>gpt</b>"), "is not a valid pattern. Use letters"),
        (only(), "Write at least one pattern"),
        ({"scope": "most", "patterns": "o3"}, "Choose which models flows can use."),
        (only(*(f"gpt-{n}" for n in range(201))), "at most 200 patterns"),
        (only("*a*b*c*d*e*f"), "has too many stars. Use at most 5."),
        (only("g" * 300), "is not a valid pattern"),
    ):
        answer = editor.post(PAGE, typed)
        assert answer.status_code == 422
        assert words in answer.text
        assert f">{html.escape(typed['patterns'])}</textarea>" in answer.text
    assert alice.ask(model="o3").status_code == 200


def test_the_default_model_answers_calls_without_a_model(
    editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    assert editor.post(DEFAULT, {"default_model": "gpt-5-mini"}).status_code == 302
    alice.ask()
    assert openai.requests[-1].model == "gpt-5-mini"
    assert '<option selected value="gpt-5-mini">' in editor.get(PAGE).text
    editor.post(DEFAULT, {"default_model": ""})
    alice.ask("And now?")
    assert openai.requests[-1].model == "gpt-4o"


def test_the_fallback_model_is_one_that_can_be_used(
    editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    alice.change(allowed_models=["gpt-4*"])
    refused = editor.post(FALLBACK, {"fallback_model": "o3"})
    assert (refused.status_code, "This model cannot be used" in refused.text) == (422, True)
    assert editor.post(FALLBACK, {"fallback_model": "gpt-4.1-mini"}).status_code == 302
    assert '<option selected value="gpt-4.1-mini">' in editor.get(PAGE).text
    openai.will(unknown_model())
    assert alice.ask().json()["model"] == "gpt-4.1-mini"
    editor.post(FALLBACK, {"fallback_model": ""})
    openai.will(unknown_model())
    assert alice.ask("And now?").status_code == 422


@pytest.mark.parametrize("model", ["o3", "tts-1", "no such model", "gpt-9"])
def test_the_default_model_must_be_usable(editor: ConsoleUser, alice: TestOrganization, model: str) -> None:
    alice.change(allowed_models=["gpt-*"])
    answer = editor.post(DEFAULT, {"default_model": model})
    assert answer.status_code == 422
    assert "This model cannot be used" in answer.text
    assert alice.ask().json()["model"] == "gpt-4o"


def test_a_list_without_the_default_model_gives_a_warning(editor: ConsoleUser, alice: TestOrganization) -> None:
    warning = "This list does not allow the default model gpt-4o"
    assert warning not in editor.get(PAGE).text
    assert warning in editor.post(PREVIEW, only("gpt-5*")).text
    editor.post(PAGE, only("gpt-5*"))
    assert warning in editor.get(PAGE).text
    assert alice.ask().json()["error_code"] == "model_not_allowed"


def test_a_refresh_shows_the_models_that_the_key_can_use_now(
    editor: ConsoleUser, asked: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.models.append("gpt-8-brand-new")
    editor.post(REFRESH)
    page = editor.get(PAGE).text
    assert "Your key has access to 17 text models" in page
    assert "gpt-8-brand-new" in ticks(page)
    assert {sent.api_key for sent in openai.requests} == {asked.key}


def test_a_failed_refresh_keeps_the_list(editor: ConsoleUser, asked: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.for_models(refuse_key())
    assert editor.post(REFRESH).status_code == 302
    page = editor.get(PAGE).text
    assert "OpenAI refused this key" in page
    assert len(ticks(page)) == 16


def test_models_of_an_older_key_are_not_shown_for_a_new_key(
    editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    def replaced_meanwhile(exchange: Exchange) -> None:
        alice.set_key("sk-proj-newer-0123456789")
        answer()(exchange)

    openai.for_models(replaced_meanwhile)
    editor.post(REFRESH)
    assert "not yet known which of them your key can use" in editor.get(PAGE).text


def test_without_a_key_the_known_models_are_listed(owner: ConsoleUser) -> None:
    owner.post("/console/organizations/alice/openai/delete")
    page = owner.get(PAGE).text
    assert "This list shows the models that this server knows" in page
    assert "gpt-4o" in ticks(page)
    assert REFRESH not in page
    owner.post(REFRESH)
    assert "has no OpenAI key" in owner.get(PAGE).text


def test_a_viewer_can_read_but_not_change_anything(viewer: ConsoleUser, alice: TestOrganization) -> None:
    page = viewer.get(PAGE)
    assert page.status_code == 200
    assert all("disabled" in rest for rest in ticks(page.text).values())
    for path in (PAGE, PREVIEW, DEFAULT, REFRESH):
        assert viewer.post(path, {"scope": "none"}).status_code == 403
    assert alice.ask().status_code == 200


def test_the_models_of_another_organization_are_not_found(owner: ConsoleUser, bob: TestOrganization) -> None:
    assert owner.get(PAGE.replace("alice", "bob")).status_code == 404
    for path in (PAGE, PREVIEW, DEFAULT, REFRESH):
        assert owner.post(path.replace("alice", "bob"), {"scope": "none"}).status_code == 404
    assert bob.ask().status_code == 200
