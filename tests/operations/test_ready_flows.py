"""Flow files for one organization: address, authentication and warnings."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from glific_gpt.database import transaction
from glific_gpt.errors import InvalidFlowExport, InvalidValue, NotFound
from glific_gpt.flows import rules
from glific_gpt.flows.building import Mode
from glific_gpt.operations import ready_flows
from glific_gpt.operations.ready_flows import AuthMethod, FlowFile
from glific_gpt.organizations import store, tokens
from glific_gpt.organizations.tokens import WEBHOOK_PREFIX
from tests.conftest import StartServer
from tests.support import databases
from tests.support.exported_flows import export_flows, function_node
from tests.support.glific_stand_in import GlificStandIn
from tests.support.server import RunningServer, TestOrganization

PUBLIC = "https://gpt.example.org"
URL = f"{PUBLIC}/webhooks/alice/parse_via_chat_gpt"
PHRASE = "a phrase of alice and glific"


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    return databases.copy_template(sqlite_template, tmp_path)


@pytest.fixture
def server(start_server: StartServer) -> RunningServer:
    return start_server(public_url=PUBLIC, openai_hosts="*.api.openai.com,models.example.org")


@pytest.fixture(autouse=True)
def app_context(server: RunningServer, alice: TestOrganization) -> Iterator[Flask]:
    with server.app.app_context():
        yield server.app


def labels() -> list[str]:
    with transaction() as session:
        return [token.label for token in tokens.list_webhook_tokens(session, store.find(session, "alice"))]


def webhooks(text: str) -> list[dict[str, Any]]:
    """Return the webhook actions of the first flow in a file."""
    nodes = json.loads(text)["flows"][0]["definition"]["nodes"]
    return [action for node in nodes for action in node["actions"] if action["type"] == "call_webhook"]


def warnings_of(ready: FlowFile) -> str:
    return "\n".join(map(str, ready.warnings))


@pytest.mark.parametrize("mode", list(Mode))
def test_an_exported_flow_has_the_address_and_a_new_token(mode: Mode, alice: TestOrganization) -> None:
    ready = ready_flows.export_flow("alice", mode=mode)
    assert rules.find_violations(json.loads(ready.text)) == []
    (webhook,) = webhooks(ready.text)
    assert webhook["url"].startswith(f"{URL}?")
    scheme, _, token = webhook["headers"]["Authorization"].partition(" ")
    assert (scheme, token.startswith(WEBHOOK_PREFIX)) == ("Bearer", True)
    answer = alice.post({"question_text": "What is ORS?"}, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert token not in repr(ready)
    assert labels() == ["flow", f"Flow: Ask Alice ({mode})"]


def test_defaults_differ_by_mode(alice: TestOrganization) -> None:
    alice.change(default_model="gpt-4.1")
    made = [ready_flows.export_flow("alice", mode=mode) for mode in Mode]
    flows = [json.loads(ready.text)["flows"][0] for ready in made]
    assert [flow["definition"]["name"] for flow in flows] == [
        "Ask Alice (sync)",
        "Ask Alice (async)",
        "Ask Alice (auto)",
    ]
    assert [flow["keywords"] for flow in flows] == [["asksync"], ["askasync"], ["askauto"]]
    assert [json.loads(webhooks(ready.text)[0]["body"])["gpt_model"] for ready in made] == ["gpt-4.1"] * 3
    assert [ready.file_name for ready in made] == ["alice-sync.json", "alice-async.json", "alice-auto.json"]


def test_name_keyword_and_model_can_be_chosen() -> None:
    ready = ready_flows.export_flow(
        "alice", mode=Mode.SYNC, name=" Ask about health ", keyword="Health?", model="GPT-4o-mini"
    )
    flow = json.loads(ready.text)["flows"][0]
    assert (flow["definition"]["name"], flow["keywords"]) == ("Ask about health", ["health"])
    assert json.loads(webhooks(ready.text)[0]["body"])["gpt_model"] == "gpt-4o-mini"


def test_a_long_organization_name_is_shortened(alice: TestOrganization) -> None:
    alice.change(name="स" * 200)
    for mode in Mode:
        name = json.loads(ready_flows.export_flow("alice", mode=mode).text)["flows"][0]["definition"]["name"]
        assert len(name) == 100
        assert name.endswith(f" ({mode})")


@pytest.mark.parametrize(
    "wrong", [{"name": "x" * 101}, {"keyword": "?!"}, {"keyword": "end"}, {"model": "tts-1"}, {"model": "@results.x"}]
)
def test_invalid_values_create_no_token(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        ready_flows.export_flow("alice", mode=Mode.SYNC, **wrong)
    assert labels() == ["flow"]


def test_a_flow_uses_the_signature_if_required_or_chosen(alice: TestOrganization) -> None:
    alice.set_phrase(PHRASE)
    wanted = ready_flows.export_flow("alice", mode=Mode.SYNC, auth_method=AuthMethod.SIGNATURE)
    alice.change(require_signature=True)
    required = ready_flows.export_flow("alice", mode=Mode.SYNC)
    for ready in (wanted, required):
        assert "Authorization" not in webhooks(ready.text)[0]["headers"]
        assert ready.warnings == ()
    with pytest.raises(InvalidValue, match="only calls with Glific's signature"):
        ready_flows.export_flow("alice", mode=Mode.SYNC, auth_method=AuthMethod.TOKEN)
    assert labels() == ["flow"]


def test_it_warns_about_the_token_or_a_missing_signature() -> None:
    assert warnings_of(ready_flows.export_flow("alice", mode=Mode.SYNC)).startswith("The file holds a webhook token.")
    without = ready_flows.export_flow("alice", mode=Mode.SYNC, auth_method=AuthMethod.SIGNATURE)
    assert "none is set here" in warnings_of(without)


def test_it_warns_about_settings_that_prevent_answers(server: RunningServer, alice: TestOrganization) -> None:
    alice.change(is_active=False, allowed_models=["gpt-4.1"])
    alice.switch_key(on=False)
    warned = warnings_of(ready_flows.export_flow("alice", mode=Mode.SYNC, model="gpt-4o"))
    for words in ("switched off. Ask an administrator", "key is switched off", "does not allow gpt-4o"):
        assert words in warned
    server.add_organization("carol", key="")
    assert "has no OpenAI key" in warnings_of(ready_flows.export_flow("carol", mode=Mode.SYNC))


def test_only_flows_with_later_answers_need_the_connection(alice: TestOrganization, glific: GlificStandIn) -> None:
    warned = [
        "Connect the organization to Glific" in warnings_of(ready_flows.export_flow("alice", mode=mode))
        for mode in (Mode.SYNC, Mode.ASYNC, Mode.AUTO)
    ]
    assert warned == [False, True, True]
    alice.connect(glific)
    assert "Connect the organization to Glific" not in warnings_of(ready_flows.export_flow("alice", mode=Mode.AUTO))


@pytest.mark.parametrize(
    ("public_url", "words"),
    [
        ("http://127.0.0.1:8000", "which Glific cannot reach"),
        ("https://10.0.0.5", "which Glific cannot reach"),
        ("https://localhost", "which Glific cannot reach"),
        ("http://gpt.example.org", "without https"),
    ],
)
def test_it_warns_about_an_address_that_glific_cannot_use(
    start_server: StartServer, public_url: str, words: str
) -> None:
    with start_server(public_url=public_url).app.app_context():
        assert words in warnings_of(ready_flows.export_flow("alice", mode=Mode.SYNC))


def test_a_converted_flow_has_the_address_and_a_new_token() -> None:
    made = ready_flows.convert_flow(
        "alice", export_flows(function_node("answer"), function_node("voice", "speech_to_text"))
    )
    converted, left = webhooks(made.text)
    assert (converted["method"], converted["url"].partition("?")[0]) == ("POST", URL)
    assert converted["headers"]["Authorization"].startswith(f"Bearer {WEBHOOK_PREFIX}")
    assert (left["method"], left["url"]) == ("FUNCTION", "speech_to_text")
    assert [len(notes) for notes in (made.conversion.changed, made.conversion.unchanged)] == [1, 1]
    assert labels() == ["flow", "Flow: Menu"]
    assert made.text.startswith('{\n    "flows"')
    assert warnings_of(made).startswith("The file holds a webhook token.")
    assert "Bearer" not in repr(made)


def test_a_file_without_convertible_nodes_is_returned_unchanged() -> None:
    for text in (export_flows(function_node("voice", "speech_to_text")), export_flows().replace("\n", "\r\n")):
        for given in (text, text.encode(), b"\xef\xbb\xbf" + text.encode()):
            made = ready_flows.convert_flow("alice", given)
            assert made.text.encode() == (given.encode() if isinstance(given, str) else given)
            assert (made.conversion.changed, made.warnings) == ((), ())
    assert labels() == ["flow"]


def test_a_preview_creates_no_token() -> None:
    text = export_flows(function_node("answer"))
    conversion = ready_flows.preview_conversion("alice", text).conversion
    assert [note.node.result_name for note in conversion.changed] == ["answer"]
    assert labels() == ["flow"]


def test_a_flow_of_any_name_can_be_converted() -> None:
    for name in ("x" * 300, "bad\0name\x1b[2J", "", "उत्तर"):
        assert ready_flows.convert_flow("alice", export_flows(function_node("answer"), name=name)).conversion.changed
    assert [len(label) <= 100 and label.isprintable() for label in labels()] == [True] * 5


def test_invalid_files_and_unknown_organizations_are_refused() -> None:
    for text in ("", "[]", "{", b"\xff"):
        with pytest.raises(InvalidFlowExport):
            ready_flows.convert_flow("alice", text)
        with pytest.raises(InvalidFlowExport):
            ready_flows.preview_conversion("alice", text)
    for text in (export_flows(), export_flows(function_node("answer"))):
        with pytest.raises(NotFound):
            ready_flows.convert_flow("nobody", text)
    with pytest.raises(NotFound):
        ready_flows.export_flow("nobody", mode=Mode.SYNC)


def with_body(**body: Any) -> str:
    node = function_node("answer")
    node["actions"][0]["body"] = json.dumps({"question_text": "@results.question.input", **body})
    return export_flows(node)


def test_a_non_text_model_is_not_converted_and_creates_no_token() -> None:
    for body in ({"gpt_model": "tts-1"}, {"model": "Whisper-1"}, {"gpt_model": "davinci-002"}):
        text = with_body(**body)
        made, seen = ready_flows.convert_flow("alice", text), ready_flows.preview_conversion("alice", text)
        assert (made.text, made.conversion.changed, seen.conversion.changed, seen.warnings) == (text, (), (), ())
        assert "is not a text model" in made.conversion.unchanged[0].message
    assert labels() == ["flow"]


def test_a_model_that_is_not_allowed_causes_a_warning(alice: TestOrganization) -> None:
    alice.change(allowed_models=["gpt-4.1"])
    for model, warned in (("gpt-4o", True), ("GPT-4.1", False), ("@results.model", False)):
        conversion = ready_flows.preview_conversion("alice", with_body(model=model)).conversion
        assert [len(conversion.changed), len(conversion.unchanged)] == [1, 0]
        assert ["is not allowed here" in note.message for note in conversion.warnings] == [True] * warned


def test_a_model_that_cannot_do_what_its_function_needs_causes_a_warning(alice: TestOrganization) -> None:
    alice.change(vector_store_id="vs_1")
    for url, model, default, words in (
        ("parse_via_gpt_vision", {"model": "gpt-3.5-turbo"}, "gpt-4o", "gpt-3.5-turbo cannot read pictures, so each"),
        ("parse_via_gpt_vision", {}, "o3-mini", "o3-mini cannot read pictures, so each call of this node fails."),
        ("parse_via_gpt_vision", {"model": "gpt-4o-mini"}, "o3-mini", ""),
        ("filesearch-gpt", {"model": "gpt-4"}, "gpt-4o", "gpt-4 cannot search documents, so each call of this node"),
        ("filesearch-gpt", {}, "gpt-4o", ""),
        ("parse_via_chat_gpt", {"model": "gpt-3.5-turbo"}, "o3-mini", ""),
    ):
        alice.change(default_model=default)
        node = function_node("answer", url)
        node["actions"][0]["body"] = json.dumps({"url": "@results.image", "question": "@results.q", **model})
        conversion = ready_flows.preview_conversion("alice", export_flows(node)).conversion
        assert len(conversion.changed) == 1
        told = [note.message for note in conversion.warnings if "cannot" in note.message and "so each" in note.message]
        assert [sentence.startswith(words) for sentence in told] == [True] * bool(words), (url, model, told)


def test_a_server_that_is_not_openai_searches_no_documents(alice: TestOrganization) -> None:
    alice.set_key("EMPTY", base_url="https://models.example.org/v1")
    node = function_node("answer", "filesearch-gpt")
    conversion = ready_flows.preview_conversion("alice", export_flows(node)).conversion
    assert any(
        note.message.startswith("The key is at the server models.example.org, which") for note in conversion.warnings
    )


def test_a_preview_has_the_warnings_of_the_file(alice: TestOrganization) -> None:
    text = export_flows(function_node("answer"))
    alice.switch_key(on=False)
    for auth_method in AuthMethod:
        seen = ready_flows.preview_conversion("alice", text, auth_method=auth_method)
        assert seen.warnings == ready_flows.convert_flow("alice", text, auth_method=auth_method).warnings
        assert "key is switched off" in "".join(map(str, seen.warnings))
    assert [str(caution) for caution in ready_flows.list_setup_warnings("alice")] == [str(seen.warnings[-1])]
