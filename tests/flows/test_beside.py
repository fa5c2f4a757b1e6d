"""A converted flow beside the old one: another flow for Glific, and the same one for people."""

import json
from copy import deepcopy
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glific_gpt.errors import NotAFlowExport
from glific_gpt.flows.converting import Conversion, Place, convert
from glific_gpt.flows.files import read, written
from glific_gpt.flows.rules import broken
from glific_gpt.flows.webhook_auth import WayIn
from tests.flows.conftest import URL
from tests.flows.every_kind import every_kind
from tests.flows.exports import Json, action_of, acts, as_file, asking, calls, export, flow, says, uid

SIGNED = WayIn(URL, None)


def beside(whole: Json) -> Conversion:
    return convert(whole, SIGNED, Place.BESIDE)


def gpt(name: str, *keywords: str) -> Json:
    """A flow with a GPT node."""
    return flow(name, [calls(f"gpt of {name}", None, None)], *keywords)


def identities(whole: Json) -> list[tuple[str, str, list[str]]]:
    found = [(one["definition"], one["keywords"]) for one in whole["flows"]]
    return [(definition["uuid"], definition["name"], keywords) for definition, keywords in found]


def test_glific_takes_it_beside_the_old_one() -> None:
    done = beside(asking())
    ((uuid, name, keywords),) = identities(done.export)
    assert (name, keywords) == ("Ask (own key)", ["askown"])
    assert str(UUID(uuid)) == uuid != uid("flow Ask")
    assert done.export["flows"][0]["definition"]["vars"] == [uuid]
    assert identities(beside(asking()).export)[0][0] != uuid


def test_in_the_old_ones_place_it_is_still_itself() -> None:
    for done in (convert(asking(), SIGNED), convert(asking(), SIGNED, Place.INSTEAD)):
        assert identities(done.export) == identities(asking())
        assert done.renamed == ()
        assert "Delete the old flow in Glific" in str(done.then)


def test_all_flows_of_a_file_are_others_and_enter_each_other() -> None:
    done = beside(every_kind())
    assert [one.remark.template.count("{keywords}") for one in done.renamed] == [1, 1]
    (main, weather) = identities(done.export)
    assert (main[1], main[2]) == ("Everything (own key)", ["everythingown", "सबकुछown"])
    for name in ("sub flow", "start"):
        assert action_of(done.export, name)["flow"] == {"uuid": weather[0], "name": weather[1]}
    text = written(done.export, like=as_file(every_kind()))
    assert uid("flow Everything") not in text
    assert uid("flow Weather") not in text
    assert broken(read(text)) == []


def test_everything_else_is_as_in_the_old_ones_place() -> None:
    done = beside(every_kind())
    text = written(done.export, like=as_file(every_kind()))
    others = {text: old for one in done.renamed for text, old in ((one.name, one.before), (one.uuid, old_uuid(one)))}
    others |= {f"{keyword}own": keyword for keyword in ("everything", "सबकुछ", "weather")}
    for other, old in others.items():
        text = text.replace(json.dumps(other, ensure_ascii=False), json.dumps(old, ensure_ascii=False))
    instead = written(convert(every_kind(), SIGNED).export, like=as_file(every_kind()))
    assert json.loads(text) == json.loads(instead)
    changed = set(text.splitlines()) ^ set(instead.splitlines())
    assert {line.strip().split(":")[0] for line in changed} <= {'"everything"', '"everything",', '"सबकुछ"', '"weather"'}


def old_uuid(renamed: Any) -> str:
    return uid(f"flow {renamed.before}")


def test_flows_that_are_not_in_the_file_are_entered_as_before() -> None:
    elsewhere: Json = {"type": "enter_flow", "flow": {"uuid": uid("flow Elsewhere"), "name": "Elsewhere"}}
    whole = export(flow("Ask", [calls("gpt", "enter", None), acts("enter", elsewhere, to=None)], "ask"))
    done = beside(whole)
    assert action_of(done.export, "enter") == action_of(whole, "enter")
    assert done.warnings == ()


def test_a_flow_that_is_found_while_a_person_waits_is_warned_about() -> None:
    found: Json = {"uuid": uid("nothing"), "name": "Expression", "expression": "@results.next"}
    nodes = [calls("gpt", "enter", None), acts("enter", {"type": "enter_flow", "flow": found}, to=None)]
    done = beside(export(flow("Ask", nodes, "ask")))
    (warning,) = done.warnings
    assert "found by @results.next" in warning.says
    assert (warning.node.flow, warning.node.uuid) == ("Ask (own key)", uid("enter"))
    assert action_of(done.export, "enter")["flow"] == found
    assert convert(export(flow("Ask", nodes, "ask")), SIGNED).warnings == ()


def test_names_and_keywords_are_those_of_nobody_else() -> None:
    flows = [gpt("Ask", "ask", "askown", "Ask Own!"), gpt("Ask (own key)", "ASK"), gpt("x" * 300), gpt("x" * 299 + "y")]
    done = beside(export(*flows))
    names = [name for _, name, _ in identities(done.export)]
    assert names[:2] == ["Ask (own key 2)", "Ask (own key) (own key)"]
    assert [name[-12:] for name in names[2:]] == ["xx (own key)", "(own key 2)".rjust(12)]
    assert [len(name) for name in names[2:]] == [100, 100]
    keywords = [keyword for _, _, found in identities(done.export) for keyword in found]
    assert keywords == ["askown2", "askownown", "askown3"]
    assert broken(done.export) == []


def test_keywords_that_glific_never_hears_are_left_out() -> None:
    done = beside(export(gpt("Ask", "?!", "Ask me", "ask-me")))
    assert identities(done.export)[0][2] == ["askmeown"]


def test_it_says_what_it_is_called_how_to_try_it_and_what_then() -> None:
    done = beside(asking())
    (renamed,) = done.renamed
    assert str(renamed.remark) == '"Ask" is called "Ask (own key)" in this file, and starts with askown.'
    assert str(done.then).startswith("Import this file and send draft:askown to try it")
    assert done.changed[0].node.flow == "Ask (own key)"


def test_a_flow_without_keyword_needs_one_to_be_tried() -> None:
    done = beside(export(gpt("Ask")))
    assert str(done.renamed[0].remark) == '"Ask" is called "Ask (own key)" in this file. It has no keyword.'
    assert "give the flow a keyword" in str(done.then)


def test_a_file_in_which_nothing_is_converted_is_left_as_it_is() -> None:
    whole = asking(url="speech_to_text")
    done = beside(whole)
    assert (done.export, done.renamed, done.then) == (whole, (), None)


def test_the_given_export_is_not_touched() -> None:
    whole = every_kind()
    beside(whole)
    assert whole == every_kind()


@pytest.mark.parametrize("wrong", [None, 5, "x", {}, [None, 5]])
@pytest.mark.parametrize("key", ["keywords", "name", "uuid", "vars"])
def test_what_is_not_shaped_as_glific_writes_it_becomes_a_flow_that_can_be_imported(key: str, wrong: Any) -> None:
    whole = export(gpt("Ask", "ask"))
    (whole["flows"][0] if key == "keywords" else whole["flows"][0]["definition"])[key] = wrong
    ((uuid, name, keywords),) = identities(beside(whole).export)
    assert (str(UUID(uuid)), name.endswith("(own key)")) == (uuid, True)
    assert keywords == ([] if key == "keywords" else ["askown"])


@given(data=st.data(), value=st.none() | st.integers() | st.text(max_size=3) | st.just([]) | st.just({}))
def test_whatever_a_file_holds_it_is_converted_or_left(data: st.DataObject, value: Any) -> None:
    whole: Any = every_kind()
    place = whole["flows"]
    while True:
        key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        if not place[key] or not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = value
    try:
        given_ = read(json.dumps(whole))
    except NotAFlowExport:
        return
    before = deepcopy(given_)
    done = beside(given_)
    assert given_ == before
    assert len(done.renamed) == (len(given_["flows"]) if done.changed else 0)


def test_a_text_that_names_the_old_keyword_stays() -> None:
    whole = export(flow("Ask", [calls("gpt", "bye", None), says("bye", "Send ask to begin again.", None)], "ask"))
    assert action_of(beside(whole).export, "bye") == action_of(whole, "bye")
