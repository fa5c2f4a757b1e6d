"""Built flows can be imported, never get stuck, and send only messages that Glific accepts."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from glific_gpt.errors import InvalidValue
from glific_gpt.flows.building import FlowSpec, Mode, build_flow
from glific_gpt.flows.endpoint import WebhookEndpoint
from glific_gpt.flows.rules import find_remarks, find_violations
from glific_gpt.flows.structure import normalize_keyword
from tests.flows.conftest import URL
from tests.flows.helpers import reachable_nodes

Json = dict[str, Any]


def definition(spec: FlowSpec) -> Json:
    (flow,) = build_flow(spec)["flows"]
    value: Json = flow["definition"]
    return value


def actions(spec: FlowSpec, kind: str) -> list[Json]:
    return [action for node in definition(spec)["nodes"] for action in node["actions"] if action["type"] == kind]


def webhook(spec: FlowSpec) -> Json:
    (action,) = actions(spec, "call_webhook")
    return action


def test_a_built_flow_breaks_no_rule(spec: FlowSpec) -> None:
    assert find_violations(build_flow(spec)) == []


def test_it_has_the_name_and_the_keyword(spec: FlowSpec) -> None:
    (flow,) = build_flow(spec)["flows"]
    assert (flow["definition"]["name"], flow["keywords"]) == ("Ask Seva Trust", ["askgpt"])


def test_each_flow_has_new_uuids(spec: FlowSpec) -> None:
    uuids = [set(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", json.dumps(build_flow(spec)))) for _ in range(2)]
    assert len(uuids[0]) > 40
    assert uuids[0] & uuids[1] == set()


def test_every_node_can_be_reached(spec: FlowSpec) -> None:
    nodes = definition(spec)["nodes"]
    assert reachable_nodes(nodes[0]["exits"], nodes) == {node["uuid"] for node in nodes[1:]}


def test_only_the_exit_word_ends_the_conversation(spec: FlowSpec) -> None:
    nodes = definition(spec)["nodes"]
    last = [node for node in nodes if any(node_exit["destination_uuid"] is None for node_exit in node["exits"])]
    assert [node["actions"][0]["text"] for node in last] == ["Thank you! Send askgpt to ask again."]


def test_the_webhook_sends_all_required_values(spec: FlowSpec) -> None:
    action = webhook(replace(spec, prompt='Say "नमस्ते" first.'))
    assert (action["method"], action["result_name"]) == ("POST", "gpt_response")
    assert action["headers"]["Authorization"] == "Bearer a-webhook-token"
    waits = {} if spec.mode is Mode.SYNC else {"wait_seconds": 120}
    assert json.loads(action["body"]) == waits | {
        "contact": "@contact",
        "results": "@results",
        "flow_id": "@flow.id",
        "question_text": "@results.question_1.input",
        "gpt_model": "gpt-4o-mini",
        "prompt": 'Say "नमस्ते" first.',
        "max_characters": 3900,
    }


def test_a_flow_with_memory_sends_back_the_thread_id_of_the_last_answer(spec: FlowSpec) -> None:
    with_memory = replace(spec, has_memory=True)
    assert find_violations(build_flow(with_memory)) == []
    assert list(find_remarks(build_flow(with_memory))) == []
    body, before = (json.loads(webhook(each)["body"]) for each in (with_memory, spec))
    assert body == before | {"thread_id": "@results.gpt_response.thread_id"}
    titles = [[note["title"] for note in definition(each)["_ui"]["stickies"].values()] for each in (with_memory, spec)]
    assert ["Memory" in each for each in titles] == [True, False]


@pytest.mark.parametrize(
    ("mode", "query"),
    [
        (Mode.SYNC, "?n=@results.n.input"),
        (Mode.ASYNC, "?mode=async&n=@results.n.input"),
        (Mode.AUTO, "?mode=auto&n=@results.n.input"),
    ],
)
def test_the_address_has_the_mode_and_changes_with_each_question(
    endpoint: WebhookEndpoint, mode: Mode, query: str
) -> None:
    assert webhook(FlowSpec(mode, "Ask", "ask", endpoint, "gpt-4o"))["url"] == URL + query


def test_a_flow_that_uses_the_signature_has_no_token(spec: FlowSpec) -> None:
    action = webhook(replace(spec, endpoint=WebhookEndpoint(URL, None)))
    assert set(action["headers"]) == {"Accept", "Content-Type"}
    assert "Authorization" not in json.dumps(build_flow(replace(spec, endpoint=WebhookEndpoint(URL, None))))


def test_the_token_is_only_in_the_header(spec: FlowSpec) -> None:
    assert json.dumps(build_flow(spec)).count("a-webhook-token") == 1
    assert "a-webhook-token" not in repr(spec)


def test_texts_that_can_repeat_contain_the_counter(spec: FlowSpec) -> None:
    texts = [action["text"] for action in actions(spec, "send_msg")]
    once = [text for text in texts if "@results.n.input" not in text]
    assert len(texts) == (5 if spec.mode is Mode.SYNC else 6)
    assert [text.split()[0] for text in once] == ["Hello!", "Thank"]


def test_the_answer_and_its_prompt_fit_into_one_message(spec: FlowSpec) -> None:
    (text,) = (action["text"] for action in actions(spec, "send_msg") if "parsed_msg" in action["text"])
    (body,) = (json.loads(action["body"]) for action in actions(spec, "call_webhook"))
    beside = text.replace("@results.gpt_response.parsed_msg", "").replace("@results.n.input", "1000000")
    assert beside.strip()
    assert len(beside) + body["max_characters"] < 4096


def test_no_variable_is_followed_by_a_dot_or_dash(spec: FlowSpec) -> None:
    assert (
        re.findall(r"@[a-z][\w.]*[.\-](?!\w)", json.dumps([node["actions"] for node in definition(spec)["nodes"]]))
        == []
    )


def test_the_answer_is_sent_only_after_a_check_of_its_status(spec: FlowSpec) -> None:
    nodes = {node["uuid"]: node for node in definition(spec)["nodes"]}
    answer = next(uuid for uuid, node in nodes.items() if "parsed_msg" in json.dumps(node["actions"]))
    before = [node for node in nodes.values() if answer in json.dumps(node["exits"])]
    assert {node["router"]["operand"] for node in before} == {"@results.gpt_response.status"}
    for node in before:
        (way,) = (node_exit["uuid"] for node_exit in node["exits"] if node_exit["destination_uuid"] == answer)
        (category,) = (found for found in node["router"]["categories"] if found["exit_uuid"] == way)
        tests = [case["arguments"] for case in node["router"]["cases"] if case["category_uuid"] == category["uuid"]]
        assert (category["name"], tests) == ("ok", [["ok"]])


def test_flows_with_later_answers_wait_two_minutes(spec: FlowSpec) -> None:
    waits = [action["delay"] for action in actions(spec, "wait_for_result")]
    assert waits == ([] if spec.mode is Mode.SYNC else ["120"])


def test_no_result_name_is_a_prefix_of_another(spec: FlowSpec) -> None:
    found = json.dumps(definition(spec)["nodes"])
    names = set(re.findall(r'"result_name": "(\w+)"', found)) | {a["name"] for a in actions(spec, "set_run_result")}
    assert names == {"n", "question_1", "gpt_response"}
    assert [(a, b) for a in names for b in names if a != b and b.startswith(a)] == []


def test_it_starts_with_the_welcome_message(spec: FlowSpec) -> None:
    built = definition(spec)
    places = {uuid: (ui["position"]["top"], ui["position"]["left"]) for uuid, ui in built["_ui"]["nodes"].items()}
    first = min(places, key=places.__getitem__)
    assert first == built["nodes"][0]["uuid"]
    assert [top for top, _ in places.values()].count(places[first][0]) == 1


def test_sticky_notes_explain_the_flow_to_staff(spec: FlowSpec) -> None:
    def notes(of: FlowSpec) -> str:
        return " ".join(note["title"] + note["body"] for note in definition(of)["_ui"]["stickies"].values())

    assert "Everyone who can edit this flow can read the token" in notes(spec)
    assert "This flow has no token" in notes(replace(spec, endpoint=WebhookEndpoint(URL, None)))
    assert "gpt.example.org" in notes(spec)
    assert ("Connect Glific first" in notes(spec)) == (spec.mode is not Mode.SYNC)


@pytest.mark.parametrize(("name", "message"), [("", "no name"), (" \n", "no name"), ("a" * 101, "at most 100")])
def test_an_invalid_name_is_refused(spec: FlowSpec, name: str, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        build_flow(replace(spec, name=name))


@pytest.mark.parametrize(
    ("keyword", "message"),
    [("", "letters or digits"), ("!", "letters or digits"), ("Ask GPT", 'Use "askgpt"'), ("end", "END")],
)
def test_a_keyword_that_glific_never_matches_is_refused(spec: FlowSpec, keyword: str, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        build_flow(replace(spec, keyword=keyword))


def test_keywords_in_any_script_are_accepted(spec: FlowSpec) -> None:
    keyword = normalize_keyword("सवाल पूछो!")
    assert build_flow(replace(spec, keyword=keyword, name="सवाल"))["flows"][0]["keywords"] == [keyword]


def test_a_flow_with_documents_calls_the_function_that_searches_them(spec: FlowSpec) -> None:
    with_documents = replace(spec, uses_documents=True, has_memory=True)
    assert find_violations(build_flow(with_documents)) == []
    action = webhook(with_documents)
    assert action["url"].partition("?")[0] == URL.replace("parse_via_chat_gpt", "filesearch-gpt")
    titles = [note["title"] for note in definition(with_documents)["_ui"]["stickies"].values()]
    assert {"Documents", "Memory"} <= {*titles}
    assert "Documents" not in [note["title"] for note in definition(spec)["_ui"]["stickies"].values()]
