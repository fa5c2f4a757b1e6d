"""GPT nodes call this server afterwards, and nothing else of the file is another."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glific_gpt.flows.converting import Conversion, Note, convert, convertible
from glific_gpt.flows.files import read, written
from glific_gpt.flows.rules import broken
from glific_gpt.flows.webhook_auth import WayIn
from tests.flows.conftest import URL
from tests.flows.every_kind import every_kind
from tests.flows.exports import Json, action_of, as_file, asking, uid

SIGNED = WayIn(URL, None)


def converted(whole: Json, way_in: WayIn = SIGNED) -> Json:
    return action_of(convert(whole, way_in).export, "gpt")


def body_of(body: Any) -> Json:
    found: Json = json.loads(converted(asking(body=body))["body"])
    return found


def told(notes: tuple[Note, ...]) -> list[str]:
    return [note.says for note in notes]


def warnings(whole: Json) -> list[str]:
    return told(convert(whole, SIGNED).warnings)


def test_a_gpt_node_calls_this_server_with_its_token(way_in: WayIn) -> None:
    action = converted(asking(), way_in)
    assert (action["method"], action["url"], action["result_name"]) == ("POST", URL, "gpt_response")
    assert action["headers"] == {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Authorization": "Bearer a-webhook-token",
    }


def test_it_is_told_where_the_node_is() -> None:
    (note,) = convert(asking(), SIGNED).changed
    assert (note.node.flow, note.node.uuid) == ("Ask", uid("gpt"))
    assert (note.node.function, note.node.result_name) == ("parse_via_chat_gpt", "gpt_response")
    assert note.says == "Calls this server now, which has less than five seconds for an answer."


def test_the_given_export_is_not_touched(way_in: WayIn) -> None:
    whole = every_kind()
    convert(whole, way_in)
    assert whole == every_kind()


def test_everything_but_the_gpt_nodes_is_equal_to_the_last_character(way_in: WayIn) -> None:
    text = as_file(every_kind())
    done = convert(read(text), way_in)
    after = read(written(done.export, like=text))
    assert after == done.export
    assert {note.node.uuid for note in done.changed} == {uid("gpt"), uid("weather")}
    for name in ("gpt", "weather"):
        for key in ("method", "url", "headers", "body"):
            action_of(after, name)[key] = action_of(every_kind(), name)[key]
    assert json.dumps(after) == json.dumps(every_kind())


def test_a_converted_file_breaks_no_rule(way_in: WayIn) -> None:
    assert broken(convert(every_kind(), way_in).export) == []


def test_a_second_time_changes_nothing(way_in: WayIn) -> None:
    once = convert(every_kind(), way_in)
    twice = convert(once.export, WayIn(URL, None))
    assert (twice.export, twice.changed, twice.warnings) == (once.export, (), ())
    assert told(twice.left).count("Calls this server already.") == 2


def test_it_is_known_beforehand_whether_there_is_anything_to_convert(way_in: WayIn) -> None:
    assert convertible(asking())
    assert not convertible(convert(asking(), way_in).export)
    assert not convertible(asking(body="no JSON"))


@pytest.mark.parametrize("method", ["function", "Function"])
def test_glific_minds_no_capitals_of_the_method(method: str) -> None:
    assert convertible(asking(method=method))


def test_the_authors_headers_stay_and_those_that_decide_are_ours(way_in: WayIn) -> None:
    headers = {"X-Campaign": "5", "authorization": "Basic x", "content-type": "text/plain", "Accept": "*/*"}
    assert converted(asking(headers=headers), way_in)["headers"] == {
        "X-Campaign": "5",
        "Accept": "application/json",
        "Content-Type": "application/json",
        "Authorization": "Bearer a-webhook-token",
    }
    assert "authorization" not in str(converted(asking(headers=headers))["headers"]).lower()


@pytest.mark.parametrize("headers", [None, [], "x"])
def test_headers_that_are_none_become_ours(headers: Any) -> None:
    assert converted(asking(headers=headers))["headers"] == SIGNED.headers()


def test_the_body_keeps_its_order_and_gets_what_is_missing() -> None:
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


def test_a_body_that_lacks_nothing_stays_as_it_was_written() -> None:
    body = '{"question_text":"@results.q",\t"contact":"@contact","results":"@results","flow_id":"@flow.id"}'
    assert converted(asking(body=body))["body"] == body


@pytest.mark.parametrize("body", [None, ""])
def test_an_empty_body_gets_a_place_for_the_question_and_a_warning(body: Any) -> None:
    assert set(body_of(body)) == {"contact", "results", "flow_id", "question_text"}
    assert warnings(asking(body=body)) == ["The Function body was empty: write the question behind question_text."]


@pytest.mark.parametrize("body", ["[]", '"x"', "{", '{"n": @results.n}', '{"n": NaN}', 5, {"question_text": "x"}])
def test_a_body_that_glific_cannot_send_is_left_and_told(body: Any) -> None:
    done = convert(asking(body=body), SIGNED)
    assert (done.export, done.changed) == (asking(body=body), ())
    assert [says.split(",")[0] for says in told(done.left)] == ["The Function body is not a JSON object"]


def test_a_body_without_a_question_is_warned_about() -> None:
    assert warnings(asking(body='{"prompt": "Hi"}')) == [
        "The Function body has no question_text: without one there is no answer."
    ]


@pytest.mark.parametrize(
    ("function", "why"),
    [
        ("parse_via_gpt_vision", "this server does not serve it"),
        ("speech_to_text_with_bhasini", "speech never goes through this server"),
        ("voice-filesearch-gpt", "speech never goes through this server"),
    ],
)
def test_other_functions_stay_glifics_own(function: str, why: str) -> None:
    done = convert(asking(url=function), SIGNED)
    assert (done.export, done.changed) == (asking(url=function), ())
    assert told(done.left) == [f"{function} stays Glific's own function: {why}."]


@pytest.mark.parametrize("function", [" parse_via_chat_gpt ", "Parse_Via_Chat_GPT"])
def test_a_name_that_is_almost_right_is_told(function: str) -> None:
    done = convert(asking(url=function), SIGNED)
    assert (done.export, done.changed) == (asking(url=function), ())
    assert told(done.left) == ["Glific knows no function of this name: did its author mean parse_via_chat_gpt?"]


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_webhooks_to_other_addresses_are_nobodys_business(method: str) -> None:
    whole = asking(url="https://example.org/parse_via_chat_gpt", method=method)
    assert convert(whole, SIGNED) == Conversion(whole, (), (), ())


@given(data=st.data(), value=st.none() | st.integers() | st.text(max_size=3) | st.just([]) | st.just({}))
def test_whatever_shape_a_file_has_it_is_converted_or_left(data: st.DataObject, value: Any) -> None:
    whole: Any = every_kind()
    place = whole["flows"][0]["definition"]["nodes"]
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not place[key] or not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = value
    before = deepcopy(whole)
    done = convert(whole, SIGNED)
    assert whole == before
    assert convert(done.export, SIGNED).export == done.export
