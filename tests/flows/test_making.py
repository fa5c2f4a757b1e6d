"""Flows that are made can be imported, loop without hanging, and say nothing that Glific would refuse."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from glific_gpt.errors import InvalidValue
from glific_gpt.flows.building import Mode, Wish, make
from glific_gpt.flows.rules import broken
from glific_gpt.flows.structure import as_kept
from glific_gpt.flows.webhook_auth import WayIn
from tests.flows.conftest import URL
from tests.flows.ways import behind

Json = dict[str, Any]


def definition(wish: Wish) -> Json:
    (flow,) = make(wish)["flows"]
    found: Json = flow["definition"]
    return found


def actions(wish: Wish, kind: str) -> list[Json]:
    return [action for node in definition(wish)["nodes"] for action in node["actions"] if action["type"] == kind]


def webhook(wish: Wish) -> Json:
    (action,) = actions(wish, "call_webhook")
    return action


def test_a_made_flow_breaks_no_rule(wish: Wish) -> None:
    assert broken(make(wish)) == []


def test_it_carries_the_name_and_the_keyword(wish: Wish) -> None:
    (flow,) = make(wish)["flows"]
    assert (flow["definition"]["name"], flow["keywords"]) == ("Ask Seva Trust", ["askgpt"])


def test_each_flow_has_uuids_of_its_own(wish: Wish) -> None:
    uuids = [set(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", json.dumps(make(wish)))) for _ in range(2)]
    assert len(uuids[0]) > 40
    assert uuids[0] & uuids[1] == set()


def test_every_node_can_be_reached(wish: Wish) -> None:
    nodes = definition(wish)["nodes"]
    assert behind(nodes[0]["exits"], nodes) == {node["uuid"] for node in nodes[1:]}


def test_the_conversation_goes_on_whatever_happens_and_ends_only_where_the_person_ends_it(wish: Wish) -> None:
    nodes = definition(wish)["nodes"]
    last = [node for node in nodes if any(out["destination_uuid"] is None for out in node["exits"])]
    assert [node["actions"][0]["text"] for node in last] == [
        "Thank you! Send askgpt whenever you have another question."
    ]


def test_the_webhook_calls_this_server_with_all_that_it_needs(wish: Wish) -> None:
    action = webhook(replace(wish, prompt='Say "नमस्ते" first.'))
    assert (action["method"], action["result_name"]) == ("POST", "gpt_response")
    assert action["headers"]["Authorization"] == "Bearer a-webhook-token"
    waits = {} if wish.mode is Mode.SYNC else {"wait_seconds": 120}
    assert json.loads(action["body"]) == waits | {
        "contact": "@contact",
        "results": "@results",
        "flow_id": "@flow.id",
        "question_text": "@results.question_1.input",
        "gpt_model": "gpt-4o-mini",
        "prompt": 'Say "नमस्ते" first.',
        "max_characters": 3900,
    }


@pytest.mark.parametrize(
    ("mode", "query"),
    [
        (Mode.SYNC, "?n=@results.n.input"),
        (Mode.ASYNC, "?mode=async&n=@results.n.input"),
        (Mode.AUTO, "?mode=auto&n=@results.n.input"),
    ],
)
def test_the_address_says_the_mode_and_changes_with_each_question(way_in: WayIn, mode: Mode, query: str) -> None:
    assert webhook(Wish(mode, "Ask", "ask", way_in, "gpt-4o"))["url"] == URL + query


def test_a_flow_that_is_let_in_by_its_signature_carries_no_token(wish: Wish) -> None:
    action = webhook(replace(wish, way_in=WayIn(URL, None)))
    assert set(action["headers"]) == {"Accept", "Content-Type"}
    assert "Authorization" not in json.dumps(make(replace(wish, way_in=WayIn(URL, None))))


def test_the_token_is_in_the_header_and_nowhere_else(wish: Wish) -> None:
    assert json.dumps(make(wish)).count("a-webhook-token") == 1
    assert "a-webhook-token" not in repr(wish)


def test_every_text_that_can_come_again_holds_the_number(wish: Wish) -> None:
    texts = [action["text"] for action in actions(wish, "send_msg")]
    once = [text for text in texts if "@results.n.input" not in text]
    assert len(texts) == (5 if wish.mode is Mode.SYNC else 6)
    assert [text.split()[0] for text in once] == ["Hello!", "Thank"]


def test_the_answer_and_what_is_said_beside_it_fit_into_one_message(wish: Wish) -> None:
    (text,) = (action["text"] for action in actions(wish, "send_msg") if "parsed_msg" in action["text"])
    (body,) = (json.loads(action["body"]) for action in actions(wish, "call_webhook"))
    beside = text.replace("@results.gpt_response.parsed_msg", "").replace("@results.n.input", "1000000")
    assert beside.strip()
    assert len(beside) + body["max_characters"] < 4096


def test_no_variable_reads_on_into_what_follows(wish: Wish) -> None:
    assert (
        re.findall(r"@[a-z][\w.]*[.\-](?!\w)", json.dumps([node["actions"] for node in definition(wish)["nodes"]]))
        == []
    )


def test_the_answer_is_said_only_after_a_split_on_its_status(wish: Wish) -> None:
    nodes = {node["uuid"]: node for node in definition(wish)["nodes"]}
    answer = next(uuid for uuid, node in nodes.items() if "parsed_msg" in json.dumps(node["actions"]))
    before = [node for node in nodes.values() if answer in json.dumps(node["exits"])]
    assert {node["router"]["operand"] for node in before} == {"@results.gpt_response.status"}
    for node in before:
        (way,) = (out["uuid"] for out in node["exits"] if out["destination_uuid"] == answer)
        (category,) = (found for found in node["router"]["categories"] if found["exit_uuid"] == way)
        tests = [case["arguments"] for case in node["router"]["cases"] if case["category_uuid"] == category["uuid"]]
        assert (category["name"], tests) == ("ok", [["ok"]])


def test_a_flow_that_gets_later_answers_waits_for_them_longer_than_this_server_takes(wish: Wish) -> None:
    waits = [action["delay"] for action in actions(wish, "wait_for_result")]
    assert waits == ([] if wish.mode is Mode.SYNC else ["120"])


def test_names_of_results_do_not_begin_with_each_other(wish: Wish) -> None:
    found = json.dumps(definition(wish)["nodes"])
    names = set(re.findall(r'"result_name": "(\w+)"', found)) | {a["name"] for a in actions(wish, "set_run_result")}
    assert names == {"n", "question_1", "gpt_response"}
    assert [(a, b) for a in names for b in names if a != b and b.startswith(a)] == []


def test_it_starts_with_the_welcome(wish: Wish) -> None:
    made = definition(wish)
    places = {uuid: (ui["position"]["top"], ui["position"]["left"]) for uuid, ui in made["_ui"]["nodes"].items()}
    first = min(places, key=places.__getitem__)
    assert first == made["nodes"][0]["uuid"]
    assert [top for top, _ in places.values()].count(places[first][0]) == 1


def test_notes_tell_staff_what_to_mind(wish: Wish) -> None:
    def said(of: Wish) -> str:
        return " ".join(note["title"] + note["body"] for note in definition(of)["_ui"]["stickies"].values())

    assert "Whoever can edit this flow can read the token" in said(wish)
    assert "There is no token in this flow" in said(replace(wish, way_in=WayIn(URL, None)))
    assert "gpt.example.org" in said(wish)
    assert ("Connect Glific first" in said(wish)) == (wish.mode is not Mode.SYNC)


@pytest.mark.parametrize(("name", "says"), [("", "a name"), (" \n", "a name"), ("a" * 101, "at most 100")])
def test_a_name_that_is_no_name_is_refused(wish: Wish, name: str, says: str) -> None:
    with pytest.raises(InvalidValue, match=says):
        make(replace(wish, name=name))


@pytest.mark.parametrize(
    ("keyword", "says"),
    [("", "letters or digits"), ("!", "letters or digits"), ("Ask GPT", 'use "askgpt"'), ("end", "END")],
)
def test_a_keyword_that_glific_never_hears_is_refused(wish: Wish, keyword: str, says: str) -> None:
    with pytest.raises(InvalidValue, match=says):
        make(replace(wish, keyword=keyword))


def test_keywords_of_all_scripts_are_taken(wish: Wish) -> None:
    keyword = as_kept("सवाल पूछो!")
    assert make(replace(wish, keyword=keyword, name="सवाल"))["flows"][0]["keywords"] == [keyword]
