"""Test questions from the console."""

import html
import json
import re
import threading
import time
from contextlib import ExitStack, suppress
from typing import Any

import httpx2
import pytest

from glific_gpt.accounts.tables import Role
from glific_gpt.functions.contract import Function, FunctionBody
from glific_gpt.functions.registry import find_built_in
from glific_gpt.services import Services, services
from tests.api.client import client_of
from tests.conftest import StartServer
from tests.console.users import ConsoleUser, create_user
from tests.support import openai_behaviours as behaviours
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TIMEOUT_SECONDS, RunningServer, TestOrganization

PAGE = "/console/organizations/alice/try-it"
FILLED: dict[str, Any] = {"question_text": "What is ORS?", "prompt": "Be brief.", "model": "gpt-4o-mini"}


class SummariseBody(FunctionBody):
    """The body of a plugin's function."""

    text: str
    sentences: int = 2
    """Longest summary."""


SUMMARISE = Function(
    "summarise",
    SummariseBody,
    lambda body, _model, _deadline: f"Summary of {body.sentences}.",
    example={"text": "A story.", "sentences": 2},
    flow_values={"text": "@results.question_1.input"},
)

GLIFIC_LOGIN = {
    "way": "api",
    "api_url": "https://api.seva.glific.com",
    "phone": "+91 98765 43210",
    "password": "a password of Glific",
}


def services_of(organization: TestOrganization) -> Services:
    return organization.server.services


def ask(person: ConsoleUser, **fields: Any) -> httpx2.Response:
    return person.post(PAGE, FILLED | {"response_format": "text"} | fields)


def bubble(answer: httpx2.Response) -> str:
    """Return the answer in the WhatsApp preview, as HTML."""
    found = re.search(r'id="bubble">(.*?)</span></div>', answer.text, re.DOTALL)
    assert found, answer.text[:3000]
    return found[1]


def shown(answer: httpx2.Response, name: str) -> str:
    found = re.search(rf'<pre id="{name}"[^>]*>(.*?)</pre>', answer.text, re.DOTALL)
    assert found, name
    return html.unescape(found[1])


def test_it_makes_the_same_call_as_a_flow(editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.will(behaviours.answer(input_tokens=1000, output_tokens=2000))
    answer = ask(editor, temperature="0.5")
    (asked,) = openai.requests
    assert (asked.model, asked.question, asked.body["temperature"]) == ("gpt-4o-mini", "What is ORS?", 0.5)
    assert "Be brief." in str(asked.body)
    assert asked.api_key == alice.key
    (call,) = alice.calls()
    assert (answer.status_code, call["status"], call["output_tokens"]) == (200, "ok", 2000)
    assert bubble(answer) == "Hello from the stand-in."
    assert f'/console/organizations/alice/calls/{call["call_id"]}"' in answer.text
    assert call["call_id"] in shown(answer, "received")
    assert "2,000" in answer.text
    assert "$0.001" in answer.text


def test_the_shown_request_can_be_sent_by_a_flow(editor: ConsoleUser, alice: TestOrganization) -> None:
    answer = ask(editor, temperature="1", response_format="text")
    again = alice.post(content=shown(answer, "sent-body").encode())
    assert again.json()["parsed_msg"] == "Hello from the stand-in."
    assert "/webhooks/alice/parse_via_chat_gpt" in answer.text


@pytest.mark.parametrize("name", [function.name for function in find_built_in()])
def test_each_function_can_be_tried(editor: ConsoleUser, alice: TestOrganization, name: str) -> None:
    page = f"{PAGE}?function={name}"
    example = services_of(alice).functions.get(name).example
    assert set(re.findall(r'<(?:input|textarea)[^>]*name="([^"]+)"', editor.get(page).text)) >= example.keys()
    answer = editor.post(page, {**example, "model": "gpt-4o-mini", "response_format": "text"})
    assert bubble(answer) == "Hello from the stand-in."
    assert f"/webhooks/alice/{name}" in answer.text
    assert json.loads(shown(answer, "sent-body")) == {**example, "gpt_model": "gpt-4o-mini"}
    assert [call["function"] for call in alice.calls()] == [name]


def test_the_examples_are_in_the_language_of_the_page(editor: ConsoleUser) -> None:
    hindi = {"Accept-Language": "hi-IN"}
    page = editor.get(PAGE, headers=hindi).text
    assert 'placeholder="बाजरा कब बोएँ?"' in page
    assert "5 से कम वाक्यों में उत्तर दें" in page
    by_hand = html.unescape(editor.get("/console/organizations/alice/use-in-glific/by-hand", headers=hindi).text)
    assert '"prompt": "5 से कम वाक्यों में उत्तर दें, उसी भाषा में जिसमें सवाल है।"' in by_hand


def test_a_function_of_a_plugin_can_be_tried(editor: ConsoleUser, alice: TestOrganization) -> None:
    services_of(alice).functions.add(SUMMARISE, "tests")
    page = f"{PAGE}?function=summarise"
    shown_page = editor.get(page).text
    assert re.search(r'<a class="btn btn-sm btn-primary" aria-current="page"[^>]*>summarise</a>', shown_page)
    assert "Longest summary." in shown_page
    assert 'name="temperature"' not in shown_page
    assert 'id="text-error"' in editor.post(page, {"text": " ", "model": "gpt-4o"}).text
    answer = editor.post(page, {"text": "A long story.", "sentences": "3", "model": "gpt-4o"})
    assert bubble(answer) == "Summary of 3."
    assert "A long story." in answer.text


def test_only_models_that_can_do_it_are_offered(editor: ConsoleUser) -> None:
    for name, is_offered in (("parse_via_chat_gpt", True), ("parse_via_gpt_vision", False)):
        page = editor.get(f"{PAGE}?function={name}").text
        assert ('value="gpt-3.5-turbo"' in page) is is_offered


def test_an_unknown_function_is_not_found(editor: ConsoleUser) -> None:
    assert editor.get(f"{PAGE}?function=nonsense").status_code == 404


def test_it_holds_a_conversation(editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn) -> None:
    def hidden(answer: httpx2.Response) -> str:
        found = re.search(r'<input[^>]*name="thread_id"[^>]*value="([^"]*)"', answer.text)
        assert found
        return found[1]

    first = ask(editor, memory="y", thread_id="")
    assert "A conversation begins." in first.text
    second = ask(editor, question_text="How much?", memory="y", thread_id=hidden(first))
    assert "The conversation continues." in second.text
    sent = [message["content"] for message in openai.requests[-1].body["messages"][1:]]
    assert sent == ["What is ORS?", "Hello from the stand-in.", "How much?"]
    assert json.loads(shown(second, "sent-body"))["thread_id"] == "@results.gpt_response.thread_id"
    assert len(json.loads(shown(second, "received"))["thread_id"]) < 30
    last = ask(editor, thread_id=hidden(second))
    assert (hidden(last), len(openai.requests[-1].body["messages"])) == ("", 2)


def test_markup_in_answers_and_questions_is_escaped(editor: ConsoleUser, openai: OpenAIStandIn) -> None:
    openai.will(behaviours.answer("**Take care**: <script>alert(1)</script> <img src=x onerror=alert(2)>"))
    answer = ask(editor, question_text='"><script>alert(3)</script>')
    assert "<script>alert" not in answer.text
    assert "<img" not in bubble(answer)
    assert bubble(answer).startswith("<b>Take care</b>: &lt;script&gt;")


def test_an_error_is_explained_with_advice(editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.will(behaviours.out_of_credit())
    answer = ask(editor)
    assert "has no credit left" in answer.text
    assert "Failure exit" in answer.text
    assert 'href="/console/organizations/alice/openai"' in answer.text.partition('id="answer"')[2]
    assert "What is ORS?" in answer.text
    assert alice.calls()[0]["error_code"] == "insufficient_quota"


def test_json_answers_are_shown_as_flow_variables(editor: ConsoleUser, openai: OpenAIStandIn) -> None:
    openai.will(behaviours.json_answer({"crop": "wheat <b>", "dose": {"urea": 3, "tips": ["a"]}}))
    answer = ask(editor, response_format="json_object")
    assert "json_object" in str(openai.requests[0].body)
    for name, value in {"crop": "wheat &lt;b&gt;", "dose.urea": "3", "dose.tips": "[&#34;a&#34;]"}.items():
        row = rf"@results\.gpt_response\.parsed_msg\.{name}</code></td><td[^>]*>{re.escape(value)}<"
        assert re.search(row, answer.text), name


def test_only_allowed_text_models_can_be_chosen(
    editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    alice.change(allowed_models=["gpt-4o*"], default_model="gpt-4o-mini")
    page = editor.get(PAGE).text
    offered = re.findall(r'<option (?:selected )?value="([^"]+)"', page)
    assert "gpt-4o" in offered
    assert not [model for model in offered if not model.startswith("gpt-4o") or "tts" in model or "audio" in model]
    assert '<option selected value="gpt-4o-mini">' in page
    for model in ("gpt-4.1", "tts-1", "nonsense"):
        assert ask(editor, model=model).status_code == 422
    assert openai.requests == []


def test_without_an_allowed_model_the_page_links_to_the_models(editor: ConsoleUser, alice: TestOrganization) -> None:
    alice.change(allowed_models=[])
    page = editor.get(PAGE).text
    assert "No model is allowed yet" in page
    assert "<fieldset disabled>" in page
    assert ask(editor).status_code == 422


def test_an_invalid_value_is_an_error_of_its_field_and_stays_in_the_form(
    editor: ConsoleUser, openai: OpenAIStandIn
) -> None:
    for field, value in (
        ("question_text", " "),
        ("question_text", "x" * 20_001),
        ("temperature", "3"),
        ("temperature", "warm"),
    ):
        refused = ask(editor, prompt="Keep <this>.", **{field: value})
        assert refused.status_code == 422
        assert f'id="{field}-error"' in refused.text
        assert "Keep &lt;this&gt;." in refused.text
    assert openai.requests == []


def test_a_viewer_can_read_the_page_but_not_make_calls(
    viewer: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    page = viewer.get(PAGE)
    assert page.status_code == 200
    assert "<fieldset disabled>" in page.text
    assert "only editors and owners" in page.text
    assert ask(viewer).status_code == 403
    assert (openai.requests, alice.calls()) == ([], [])


def test_a_test_call_does_not_open_the_webhook(editor: ConsoleUser, alice: TestOrganization) -> None:
    alice.change(require_signature=True, glific_organization_id=17)
    assert bubble(ask(editor)) == "Hello from the stand-in."
    assert alice.ask(organization_id=17).status_code == 401
    assert alice.post({"question_text": "Hi"}, headers={"Authorization": ""}).status_code == 401


def test_the_limits_of_calls_apply(editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.change(monthly_budget_usd="0.000000001")
    assert "budget for this month is used up" in html.unescape(ask(editor).text)
    alice.change(monthly_budget_usd=None)
    alice.switch_key(on=False)
    assert "switched off" in ask(editor).text
    assert openai.requests == []
    assert [call["error_code"] for call in alice.calls()] == ["credential_inactive", "budget_exceeded"]


def test_a_slow_model_times_out(start_server: StartServer, openai: OpenAIStandIn) -> None:
    server = start_server(deadline_seconds=0.6)
    alice = server.add_organization("alice")
    editor = create_user(server, "editor@example.org", Role.EDITOR, "alice")
    editor.sign_in()
    openai.will(behaviours.never_respond())
    before = time.monotonic()
    answer = ask(editor)
    assert time.monotonic() - before < 20
    assert "did not answer in time" in answer.text
    assert "time-late" in answer.text
    assert "time-good" not in answer.text
    assert "No answer in time" in answer.text
    assert alice.calls()[0]["error_code"] == "deadline_exceeded"


def test_a_test_call_uses_one_of_the_slots_for_calls(start_server: StartServer, openai: OpenAIStandIn) -> None:
    server = start_server(max_in_flight=1, deadline_seconds=60)
    alice = server.add_organization("alice")
    editor = create_user(server, "editor@example.org", Role.EDITOR, "alice")
    editor.sign_in()
    openai.will(behaviours.never_respond())
    flow = threading.Thread(target=alice.ask)
    flow.start()
    while not openai.requests:
        time.sleep(0.01)
    assert "as many calls as it can" in ask(editor).text
    openai.reset()
    flow.join()
    assert "Hello" in bubble(ask(editor))


@pytest.mark.parametrize(
    ("path", "fields", "sentence_at"),
    [
        (PAGE, FILLED | {"response_format": "text"}, PAGE),
        ("/console/organizations/alice/openai", {"api_key": "sk-another-key-of-alice-12345", "is_active": "1"}, ""),
        ("/console/organizations/alice/openai/test", {}, ""),
        ("/console/organizations/alice/models/refresh", {}, "/console/organizations/alice/models"),
        ("/console/organizations/alice/glific/test", {}, "/console/organizations/alice/glific"),
        ("/console/organizations/alice/glific", GLIFIC_LOGIN, ""),
    ],
    ids=["a test question", "a new key", "the key", "the models", "the connection", "a new connection"],
)
def test_two_pages_of_an_organization_wait_for_others_at_the_same_time(
    server: RunningServer,
    editor: ConsoleUser,
    bob: TestOrganization,
    openai: OpenAIStandIn,
    path: str,
    fields: dict[str, Any],
    sentence_at: str,
) -> None:
    """Each holds a thread that pages of others need."""
    openai.always(behaviours.never_respond())
    form = FILLED | {"response_format": "text", "csrf_token": editor.token()}

    def post() -> None:
        with suppress(httpx2.HTTPError):
            httpx2.post(server.url + PAGE, data=form, cookies=dict(editor.client.cookies), timeout=TIMEOUT_SECONDS)

    threads = [threading.Thread(target=post) for _ in range(2)]
    for thread in threads:
        thread.start()
    while len(openai.requests) < 2:
        time.sleep(0.01)
    try:
        refused = editor.post(path, fields)
        if refused.status_code == 302:
            refused = editor.get(sentence_at)
        else:
            assert refused.status_code in (429, 200)
        assert "Two tests or test questions of this organization are running already." in refused.text
        assert len(openai.requests) == 2
        with server.app.app_context(), services().waiting_pages.hold(bob.slug):
            pass
    finally:
        openai.reset()
        for thread in threads:
            thread.join()
    assert "Hello" in bubble(ask(editor))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/organizations/alice/credentials/open_ai", {"api_key": "sk-another-key-of-alice-12345"}),
        ("/organizations/alice/glific", {"api_url": "https://api.seva.glific.com", "way": "signed"}),
    ],
)
def test_the_api_has_the_same_limit(
    server: RunningServer, alice: TestOrganization, path: str, body: dict[str, str]
) -> None:
    with server.app.app_context(), ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(services().waiting_pages.hold(alice.slug))
        refused = client_of(server, alice.slug).put(path, json=body)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited"), refused.text
    assert refused.headers["Retry-After"] == "1"


def test_the_page_contains_no_secrets(editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(behaviours.refuse_key())
    text = editor.get(PAGE).text + ask(editor).text
    for secret in (alice.token, alice.key, alice.key[-10:]):
        assert secret not in text


def test_the_page_of_another_organization_is_not_found(editor: ConsoleUser, bob: TestOrganization) -> None:
    for slug in (bob.slug, "nobody"):
        page = f"/console/organizations/{slug}/try-it"
        assert (editor.get(page).status_code, editor.post(page, FILLED).status_code) == (404, 404)
    assert bob.calls() == []
