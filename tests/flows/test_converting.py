"""Converted GPT nodes call this server, and nothing else in the file changes."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glific_gpt.flows.converting import Conversion, ModelRules, Note, Placement, convert, has_convertible_nodes
from glific_gpt.flows.endpoint import WebhookEndpoint
from glific_gpt.flows.files import format_export, parse_export
from glific_gpt.flows.rules import find_violations
from glific_gpt.flows.variables import MAX_DEFAULTS
from glific_gpt.functions import parse_via_chat_gpt
from glific_gpt.functions.body_validation import validate_body
from tests.flows.conftest import URL
from tests.flows.every_node_type import every_node_type
from tests.flows.exports import Json, action_of, question_export, to_file_text, uuid_of

SIGNED = WebhookEndpoint(URL, None)


def converted(exported: Json, endpoint: WebhookEndpoint = SIGNED) -> Json:
    return action_of(convert(exported, endpoint).export, "gpt")


def body_of(body: Any) -> Json:
    value: Json = json.loads(converted(question_export(body=body))["body"])
    return value


def messages(notes: tuple[Note, ...]) -> list[str]:
    return [note.message for note in notes]


def warnings(exported: Json) -> list[str]:
    return messages(convert(exported, SIGNED).warnings)


def test_a_gpt_node_calls_this_server_with_its_token(endpoint: WebhookEndpoint) -> None:
    action = converted(question_export(), endpoint)
    assert (action["method"], action["url"], action["result_name"]) == ("POST", URL, "gpt_response")
    assert action["headers"] == {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Authorization": "Bearer a-webhook-token",
    }


def test_the_report_identifies_the_node() -> None:
    (note,) = convert(question_export(), SIGNED).changed
    assert (note.node.flow, note.node.uuid) == ("Ask", uuid_of("gpt"))
    assert (note.node.function, note.node.result_name) == ("parse_via_chat_gpt", "gpt_response")
    assert note.message == "Calls this server now. Answers must come in less than five seconds."


def test_the_original_export_is_not_modified(endpoint: WebhookEndpoint) -> None:
    exported = every_node_type()
    convert(exported, endpoint)
    assert exported == every_node_type()


def test_only_the_gpt_nodes_change(endpoint: WebhookEndpoint) -> None:
    text = to_file_text(every_node_type())
    conversion = convert(parse_export(text), endpoint)
    after = parse_export(format_export(conversion.export, original=text))
    assert after == conversion.export
    assert {note.node.uuid for note in conversion.changed} == {uuid_of("gpt"), uuid_of("weather")}
    for name in ("gpt", "weather"):
        for key in ("method", "url", "headers", "body"):
            action_of(after, name)[key] = action_of(every_node_type(), name)[key]
    assert json.dumps(after) == json.dumps(every_node_type())


def test_a_converted_file_breaks_no_rule(endpoint: WebhookEndpoint) -> None:
    assert find_violations(convert(every_node_type(), endpoint).export) == []


def test_a_second_conversion_changes_nothing(endpoint: WebhookEndpoint) -> None:
    once = convert(every_node_type(), endpoint)
    twice = convert(once.export, WebhookEndpoint(URL, None))
    assert (twice.export, twice.changed, twice.warnings) == (once.export, (), ())
    assert messages(twice.unchanged).count("Already calls this server.") == 2


def test_convertible_nodes_are_detected_before_a_conversion(endpoint: WebhookEndpoint) -> None:
    assert has_convertible_nodes(question_export())
    assert not has_convertible_nodes(convert(question_export(), endpoint).export)
    assert not has_convertible_nodes(question_export(body="no JSON"))


@pytest.mark.parametrize("method", ["function", "Function"])
def test_the_method_is_matched_in_any_case(method: str) -> None:
    assert has_convertible_nodes(question_export(method=method))


def test_author_headers_stay_but_authentication_and_content_types_are_replaced(endpoint: WebhookEndpoint) -> None:
    headers = {"X-Campaign": "5", "authorization": "Basic x", "content-type": "text/plain", "Accept": "*/*"}
    assert converted(question_export(headers=headers), endpoint)["headers"] == {
        "X-Campaign": "5",
        "Accept": "application/json",
        "Content-Type": "application/json",
        "Authorization": "Bearer a-webhook-token",
    }
    assert "authorization" not in str(converted(question_export(headers=headers))["headers"]).lower()


@pytest.mark.parametrize("headers", [None, [], "x"])
def test_missing_or_invalid_headers_are_replaced(headers: Any) -> None:
    assert converted(question_export(headers=headers))["headers"] == SIGNED.headers()


def test_missing_keys_are_added_at_the_end_of_the_body() -> None:
    body = '{"prompt": "नमस्ते", "temperature": 1.0, "question_text": "@results.q", "contact": "@contact"}'
    assert json.dumps(body_of(body)) == json.dumps(
        {
            "prompt": "नमस्ते",
            "temperature": 1.0,
            "question_text": "@results.q",
            "contact": "@contact",
            "results": "@results",
            "flow_id": "@flow.id",
        }
    )


def test_a_complete_body_keeps_its_text() -> None:
    body = '{"question_text":"@results.q",\t"contact":"@contact","results":"@results","flow_id":"@flow.id"}'
    assert converted(question_export(body=body))["body"] == body


@pytest.mark.parametrize("body", [None, ""])
def test_an_empty_body_gets_a_question_key_and_a_warning(body: Any) -> None:
    assert set(body_of(body)) == {"contact", "results", "flow_id", "question_text"}
    assert warnings(question_export(body=body)) == [
        "The Function body was empty. Enter the question after question_text."
    ]


@pytest.mark.parametrize("body", ["[]", '"x"', "{", '{"n": @results.n}', '{"n": NaN}', 5, {"question_text": "x"}])
def test_an_invalid_body_is_not_converted_and_is_reported(body: Any) -> None:
    conversion = convert(question_export(body=body), SIGNED)
    assert (conversion.export, conversion.changed) == (question_export(body=body), ())
    assert [message.split(",")[0] for message in messages(conversion.unchanged)] == [
        "The Function body is not a JSON object"
    ]


def test_a_body_without_a_question_causes_a_warning() -> None:
    assert warnings(question_export(body='{"prompt": "Hi"}')) == [
        "The Function body has no question_text. Add it, otherwise there is no answer."
    ]


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("detect_language", "this server does not have this function"),
        ("speech_to_text", "this server does not process speech"),
        ("voice-filesearch-gpt", "this server does not process speech"),
    ],
)
def test_other_functions_are_not_converted(function: str, reason: str) -> None:
    conversion = convert(question_export(url=function), SIGNED)
    assert (conversion.export, conversion.changed) == (question_export(url=function), ())
    assert messages(conversion.unchanged) == [f"{function} still calls Glific: {reason}."]


@pytest.mark.parametrize(
    ("function", "replacement"),
    [
        ("speech_to_text_with_bhasini", "speech_to_text"),
        ("text_to_speech_with_bhasini", "text_to_speech"),
        ("nmt_tts_with_bhasini", "text_to_speech"),
    ],
)
def test_a_function_that_blocks_publishing_is_reported(function: str, replacement: str) -> None:
    (reason,) = messages(convert(question_export(url=function), SIGNED).unchanged)
    assert reason.startswith(f"Glific publishes no flow with {function}. Put Glific's node {replacement} in its place")
    (violation,) = find_violations(question_export(url=function))
    assert violation.endswith(f"it calls {function}, with which Glific publishes no flow. Use {replacement}.")


@pytest.mark.parametrize(
    ("function", "meant"),
    [
        (" parse_via_chat_gpt ", "parse_via_chat_gpt"),
        ("Parse_Via_Chat_GPT", "parse_via_chat_gpt"),
        ("parse_via_GPT_vision", "parse_via_gpt_vision"),
    ],
)
def test_a_misspelt_function_name_is_reported(function: str, meant: str) -> None:
    conversion = convert(question_export(url=function), SIGNED)
    assert (conversion.export, conversion.changed) == (question_export(url=function), ())
    assert messages(conversion.unchanged) == [
        f"Glific has no function of this name. Write {meant} if you mean this one."
    ]


def test_a_question_about_a_picture_calls_the_same_function_of_this_server(endpoint: WebhookEndpoint) -> None:
    body = {"url": "@results.picture.input", "prompt": "What is it?", "model": "gpt-4o"}
    exported = question_export(url="parse_via_gpt_vision", body=json.dumps(body))
    conversion = convert(exported, endpoint)
    action = action_of(conversion.export, "gpt")
    assert (action["method"], action["url"]) == ("POST", URL.replace("parse_via_chat_gpt", "parse_via_gpt_vision"))
    assert json.loads(action["body"]) == body | {"contact": "@contact", "results": "@results", "flow_id": "@flow.id"}
    (warning,) = messages(conversion.warnings)
    assert warning.startswith("Glific downloaded the picture itself.")
    again = convert(conversion.export, endpoint)
    assert (again.export, messages(again.unchanged)) == (conversion.export, ["Already calls this server."])


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "The Function body was empty. Enter the address of the picture after url."),
        ('{"prompt": "Hi"}', "The Function body has no url."),
    ],
)
def test_a_question_without_a_picture_causes_a_warning(body: str, sentence: str) -> None:
    (warning, _) = warnings(question_export(url="parse_via_gpt_vision", body=body))
    assert warning.startswith(sentence)
    assert "url" in json.loads(converted(question_export(url="parse_via_gpt_vision", body=""))["body"])


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_webhooks_to_other_addresses_are_ignored(method: str) -> None:
    exported = question_export(url="https://example.org/parse_via_chat_gpt", method=method)
    assert convert(exported, SIGNED) == Conversion(exported, (), (), ())


@pytest.mark.parametrize("question", ["", "  ", "\n"])
def test_an_empty_question_is_reported(question: str) -> None:
    body = json.dumps({"question_text": question, "gpt_model": "", "prompt": ""})
    (warning,) = warnings(question_export(body=body))
    assert warning.startswith("question_text is empty, as in the template of Glific's editor, so each call fails.")


@pytest.mark.parametrize("where", ["prompt", "question_text"])
@pytest.mark.parametrize(
    "variable",
    ["@results.gpt_response.parsed_msg", "@results.gpt_response.parsed_msg.summary", "@results.gpt_response.status"],
)
def test_the_nodes_own_earlier_answer_gets_a_default(where: str, variable: str) -> None:
    body = {"question_text": "@results.q", "prompt": "Be brief."} | {where: f"You said before: {variable}"}
    exported = question_export(body=json.dumps(body))
    assert body_of(json.dumps(body))["defaults"] == {variable[1:]: "-"}
    (warning,) = warnings(exported)
    assert f"The body reads {variable}, which is the node's own earlier answer" in warning
    converted_once = convert(exported, SIGNED).export
    assert convert(converted_once, SIGNED).export == converted_once


@pytest.mark.parametrize("defaults", [{}, {"contact.name": "friend", "results.gpt_response.n0": "none"}])
def test_a_body_gets_no_more_defaults_than_the_server_reads(defaults: Json) -> None:
    prompt = " ".join(f"@results.gpt_response.n{number}" for number in range(MAX_DEFAULTS + 5))
    body = json.dumps({"question_text": "@results.q", "prompt": prompt, "defaults": defaults})
    converted = body_of(body)["defaults"]
    assert len(converted) == MAX_DEFAULTS
    assert converted.items() >= defaults.items()
    *_, warning = warnings(question_export(body=body))
    needed = len(defaults | dict.fromkeys(converted)) + 5 + ("contact.name" in defaults)
    assert f"need {needed} texts under defaults, where {MAX_DEFAULTS} are allowed, so each call fails" in warning


def test_a_body_that_needs_21_defaults_gets_them() -> None:
    prompt = " ".join(f"@results.gpt_response.n{number}" for number in range(21))
    body = body_of(json.dumps({"question_text": "@results.q", "prompt": prompt}))
    unfilled = validate_body(parse_via_chat_gpt.function, {**body, "question_text": "What is ORS?"})
    assert unfilled.prompt == " ".join("-" * 21)


@pytest.mark.parametrize(
    "body",
    [
        {"question_text": "@results.q", "prompt": "They said @results.other.parsed_msg, @results.gpt_response2.x"},
        {"question_text": "@results.gpt_response.parsed_msg"},
        {"question_text": "Write to gpt_response.parsed_msg"},
    ],
)
def test_other_variables_get_no_default(body: Json) -> None:
    assert "defaults" not in body_of(json.dumps(body))


def test_the_authors_own_defaults_stay() -> None:
    body = {
        "question_text": "@results.q",
        "prompt": "@results.gpt_response.a and @results.gpt_response.b",
        "defaults": {"results.gpt_response.a": "nothing", "results.q": "?"},
    }
    defaults = {"results.gpt_response.b": "-", "results.gpt_response.a": "nothing", "results.q": "?"}
    assert body_of(json.dumps(body))["defaults"] == defaults


@given(data=st.data(), value=st.none() | st.integers() | st.text(max_size=3) | st.just([]) | st.just({}))
def test_any_file_shape_is_converted_or_left_unchanged(data: st.DataObject, value: Any) -> None:
    exported: Any = every_node_type()
    place = exported["flows"][0]["definition"]["nodes"]
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not place[key] or not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = value
    before = deepcopy(exported)
    conversion = convert(exported, SIGNED)
    assert exported == before
    assert convert(conversion.export, SIGNED).export == conversion.export


FILE_SEARCH_URL = URL.replace("parse_via_chat_gpt", "filesearch-gpt")
ASSISTANT_BODY = {"question": "@results.question", "assistant_id": "asst_abc123", "remove_citation": True}


@pytest.mark.parametrize("store", ["vs_1", ""])
def test_the_assistant_of_a_question_to_documents_becomes_a_vector_store(endpoint: WebhookEndpoint, store: str) -> None:
    exported = question_export(url="filesearch-gpt", body=json.dumps(ASSISTANT_BODY))
    conversion = convert(exported, endpoint, Placement.COPY, models=ModelRules(vector_store_id=store))
    (action,) = (action for action in webhooks_of(conversion.export) if action["url"].startswith(FILE_SEARCH_URL))
    assert action["method"] == "POST"
    assert list(json.loads(action["body"]).items())[:3] == [
        ("question", "@results.question"),
        ("vector_store_id", store),
        ("remove_citation", True),
    ]
    told = " ".join(messages(conversion.warnings))
    assert "asst_abc123 stays with Glific" in told
    assert ("searches the vector store vs_1" in told) == bool(store)
    assert "page Documents" in told
    assert "empties assistant_id" not in told
    assert "often takes longer" in told


def test_a_vector_store_of_the_author_is_kept(endpoint: WebhookEndpoint) -> None:
    body = ASSISTANT_BODY | {"vector_store_id": "vs_own"}
    conversion = convert(
        question_export(url="filesearch-gpt", body=json.dumps(body)),
        endpoint,
        models=ModelRules(vector_store_id="vs_1"),
    )
    kept = json.loads(action_of(conversion.export, "gpt")["body"])
    assert (kept["vector_store_id"], "assistant_id" in kept) == ("vs_own", False)
    again = convert(conversion.export, endpoint)
    assert (again.export, messages(again.unchanged)) == (conversion.export, ["Already calls this server."])


def test_a_question_to_documents_without_any_store_causes_a_warning(endpoint: WebhookEndpoint) -> None:
    exported = question_export(url="filesearch-gpt", body='{"question": "@results.question"}')
    told = messages(convert(exported, endpoint).warnings)
    assert any("no vector store yet" in sentence for sentence in told)
    told = messages(convert(exported, endpoint, models=ModelRules(vector_store_id="vs_1")).warnings)
    assert not any("no vector store yet" in sentence for sentence in told)
    told = messages(convert(question_export(url="filesearch-gpt", body="{}"), endpoint).warnings)
    assert any("has no question" in sentence for sentence in told)


def webhooks_of(exported: Json) -> list[Json]:
    return [
        action
        for each in exported["flows"]
        for node in each["definition"]["nodes"]
        for action in node["actions"]
        if action["type"] == "call_webhook"
    ]
