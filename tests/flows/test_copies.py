"""Converted flows that are imported beside the old ones: new names, keywords and uuids."""

import json
from copy import deepcopy
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from glific_gpt.errors import InvalidFlowExport
from glific_gpt.flows.converting import Conversion, Placement, convert
from glific_gpt.flows.endpoint import WebhookEndpoint
from glific_gpt.flows.files import format_export, parse_export
from glific_gpt.flows.rules import find_violations
from tests.flows.conftest import URL
from tests.flows.every_node_type import every_node_type
from tests.flows.exports import (
    Json,
    action_node,
    action_of,
    export,
    flow,
    message_node,
    question_export,
    to_file_text,
    uuid_of,
    webhook_node,
)

SIGNED = WebhookEndpoint(URL, None)


def convert_copy(exported: Json) -> Conversion:
    return convert(exported, SIGNED, Placement.COPY)


def gpt(name: str, *keywords: str) -> Json:
    """A flow with a GPT node."""
    return flow(name, [webhook_node(f"gpt of {name}", None, None)], *keywords)


def identities(exported: Json) -> list[tuple[str, str, list[str]]]:
    found_flow = [(one["definition"], one["keywords"]) for one in exported["flows"]]
    return [(definition["uuid"], definition["name"], keywords) for definition, keywords in found_flow]


def test_a_copy_has_its_own_name_keyword_and_uuid() -> None:
    conversion = convert_copy(question_export())
    ((uuid, name, keywords),) = identities(conversion.export)
    assert (name, keywords) == ("Ask (own key)", ["askown"])
    assert str(UUID(uuid)) == uuid != uuid_of("flow Ask")
    assert conversion.export["flows"][0]["definition"]["vars"] == [uuid]
    assert identities(convert_copy(question_export()).export)[0][0] != uuid


def test_a_conversion_in_place_lists_the_values_of_each_node() -> None:
    conversion = convert(every_node_type(), WebhookEndpoint(URL, SecretStr("a-token")), Placement.IN_PLACE)
    assert identities(conversion.export) == identities(every_node_type())
    assert conversion.renamed == ()
    assert [edit.node for edit in conversion.edits] == [note.node for note in conversion.changed]
    for edit in conversion.edits:
        name = next(name for name in ("gpt", "weather") if uuid_of(name) == edit.node.uuid)
        action = action_of(conversion.export, name)
        assert (edit.method, edit.url, edit.headers) == (action["method"], action["url"], action["headers"])
        assert edit.body == action["body"]
        assert edit.headers["Authorization"] == "Bearer a-token"
        assert "a-token" not in repr(edit)


def test_a_body_that_stays_is_not_listed() -> None:
    body = '{"question_text":"@results.q","contact":"@contact","results":"@results","flow_id":"@flow.id"}'
    (edit,) = convert(question_export(body=body), SIGNED, Placement.IN_PLACE).edits
    assert edit.body is None


@pytest.mark.parametrize("placement", Placement)
def test_no_report_advises_to_delete_a_flow(placement: Placement) -> None:
    conversion = convert(every_node_type(), SIGNED, placement)
    notes = (*conversion.changed, *conversion.unchanged, *conversion.warnings)
    texts = [str(conversion.next_step), *(note.message for note in notes)]
    assert not [text for text in texts if "delete" in text.lower()]


def test_all_flows_of_a_file_are_copied_and_refer_to_each_other() -> None:
    conversion = convert_copy(every_node_type())
    assert [one.remark.template.count("{keywords}") for one in conversion.renamed] == [1, 1]
    (main, weather) = identities(conversion.export)
    assert (main[1], main[2]) == ("Everything (own key)", ["everythingown", "सबकुछown"])
    for name in ("sub flow", "start"):
        assert action_of(conversion.export, name)["flow"] == {"uuid": weather[0], "name": weather[1]}
    text = format_export(conversion.export, original=to_file_text(every_node_type()))
    assert uuid_of("flow Everything") not in text
    assert uuid_of("flow Weather") not in text
    assert find_violations(parse_export(text)) == []


def test_a_copy_otherwise_equals_a_conversion_in_place() -> None:
    conversion = convert_copy(every_node_type())
    text = format_export(conversion.export, original=to_file_text(every_node_type()))
    others = {
        text: old for one in conversion.renamed for text, old in ((one.name, one.before), (one.uuid, old_uuid(one)))
    }
    others |= {f"{keyword}own": keyword for keyword in ("everything", "सबकुछ", "weather")}
    for other, old in others.items():
        text = text.replace(json.dumps(other, ensure_ascii=False), json.dumps(old, ensure_ascii=False))
    instead = format_export(convert(every_node_type(), SIGNED).export, original=to_file_text(every_node_type()))
    assert json.loads(text) == json.loads(instead)
    changed = set(text.splitlines()) ^ set(instead.splitlines())
    assert {line.strip().split(":")[0] for line in changed} <= {'"everything"', '"everything",', '"सबकुछ"', '"weather"'}


def old_uuid(renamed: Any) -> str:
    return uuid_of(f"flow {renamed.before}")


def test_references_to_flows_outside_the_file_stay() -> None:
    elsewhere: Json = {"type": "enter_flow", "flow": {"uuid": uuid_of("flow Elsewhere"), "name": "Elsewhere"}}
    exported = export(
        flow("Ask", [webhook_node("gpt", "enter", None), action_node("enter", elsewhere, to=None)], "ask")
    )
    conversion = convert_copy(exported)
    assert action_of(conversion.export, "enter") == action_of(exported, "enter")
    assert conversion.warnings == ()


def test_a_flow_chosen_by_an_expression_causes_a_warning() -> None:
    found_flow: Json = {"uuid": uuid_of("nothing"), "name": "Expression", "expression": "@results.next"}
    nodes = [
        webhook_node("gpt", "enter", None),
        action_node("enter", {"type": "enter_flow", "flow": found_flow}, to=None),
    ]
    conversion = convert_copy(export(flow("Ask", nodes, "ask")))
    (warning,) = conversion.warnings
    assert "@results.next decides" in warning.message
    assert (warning.node.flow, warning.node.uuid) == ("Ask (own key)", uuid_of("enter"))
    assert action_of(conversion.export, "enter")["flow"] == found_flow
    assert convert(export(flow("Ask", nodes, "ask")), SIGNED).warnings == ()


def test_names_and_keywords_of_copies_are_unique() -> None:
    flows = [gpt("Ask", "ask", "askown", "Ask Own!"), gpt("Ask (own key)", "ASK"), gpt("x" * 300), gpt("x" * 299 + "y")]
    conversion = convert_copy(export(*flows))
    names = [name for _, name, _ in identities(conversion.export)]
    assert names[:2] == ["Ask (own key 2)", "Ask (own key) (own key)"]
    assert [name[-12:] for name in names[2:]] == ["xx (own key)", "(own key 2)".rjust(12)]
    assert [len(name) for name in names[2:]] == [100, 100]
    keywords = [keyword for _, _, found_flow in identities(conversion.export) for keyword in found_flow]
    assert keywords == ["askown2", "askownown", "askown3"]
    assert find_violations(conversion.export) == []


def test_keywords_that_glific_never_matches_are_dropped() -> None:
    conversion = convert_copy(export(gpt("Ask", "?!", "Ask me", "ask-me")))
    assert identities(conversion.export)[0][2] == ["askmeown"]


def test_the_report_has_the_new_name_and_the_next_step() -> None:
    conversion = convert_copy(question_export())
    (renamed,) = conversion.renamed
    assert str(renamed.remark) == '"Ask" is called "Ask (own key)" in this file. People start it with askown.'
    assert str(conversion.next_step).startswith("Import this file and send draft:askown to try it")
    assert conversion.changed[0].node.flow == "Ask (own key)"


def test_a_flow_without_a_keyword_needs_one_for_a_trial() -> None:
    conversion = convert_copy(export(gpt("Ask")))
    assert str(conversion.renamed[0].remark) == '"Ask" is called "Ask (own key)" in this file. It has no keyword.'
    assert "give the flow a keyword" in str(conversion.next_step)


def test_a_file_without_convertible_nodes_is_not_copied() -> None:
    exported = question_export(url="speech_to_text")
    conversion = convert_copy(exported)
    assert (conversion.export, conversion.renamed, conversion.next_step) == (exported, (), None)


def test_the_original_export_is_not_modified() -> None:
    exported = every_node_type()
    convert_copy(exported)
    assert exported == every_node_type()


@pytest.mark.parametrize("wrong", [None, 5, "x", {}, [None, 5]])
@pytest.mark.parametrize("key", ["keywords", "name", "uuid", "vars"])
def test_a_copy_of_a_malformed_flow_can_be_imported(key: str, wrong: Any) -> None:
    exported = export(gpt("Ask", "ask"))
    (exported["flows"][0] if key == "keywords" else exported["flows"][0]["definition"])[key] = wrong
    ((uuid, name, keywords),) = identities(convert_copy(exported).export)
    assert (str(UUID(uuid)), name.endswith("(own key)")) == (uuid, True)
    assert keywords == ([] if key == "keywords" else ["askown"])


@given(data=st.data(), value=st.none() | st.integers() | st.text(max_size=3) | st.just([]) | st.just({}))
def test_any_file_content_is_converted_or_left_unchanged(data: st.DataObject, value: Any) -> None:
    exported: Any = every_node_type()
    place = exported["flows"]
    while True:
        key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        if not place[key] or not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = value
    try:
        parsed = parse_export(json.dumps(exported))
    except InvalidFlowExport:
        return
    before = deepcopy(parsed)
    conversion = convert_copy(parsed)
    assert parsed == before
    assert len(conversion.renamed) == (len(parsed["flows"]) if conversion.changed else 0)


def test_a_message_with_the_old_keyword_stays() -> None:
    exported = export(
        flow("Ask", [webhook_node("gpt", "bye", None), message_node("bye", "Send ask to begin again.", None)], "ask")
    )
    assert action_of(convert_copy(exported).export, "bye") == action_of(exported, "bye")
