"""Flow files are parsed or refused with a message, and written so that a diff shows only the changes."""

import json
import tracemalloc
from difflib import unified_diff
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glific_gpt.errors import InvalidFlowExport
from glific_gpt.flows.files import format_export, parse_export
from glific_gpt.flows.patching import patch_json
from tests.flows.every_node_type import every_node_type
from tests.flows.exports import Json, action_of, export, flow, question_export, to_file_text

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
INDENTS = st.sampled_from([None, 1, 2, 4, "\t"])


def test_parsing_keeps_the_order_of_keys() -> None:
    exported = {"interactive_templates": [], **question_export()}
    assert list(parse_export(to_file_text(exported))) == list(exported)
    assert parse_export(to_file_text(exported).encode()) == exported


def test_a_byte_order_mark_is_accepted() -> None:
    assert parse_export(b"\xef\xbb\xbf" + to_file_text(question_export()).encode()) == question_export()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "flows",
        to_file_text(question_export())[:-40],
        '{"flows": [{"definition": {"nodes": []}}], "n": NaN}',
    ],
)
def test_invalid_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(InvalidFlowExport, match="not JSON"):
        parse_export(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"\xff\xfe\x00", "not saved as UTF-8"),
        ("[" * 200 + "]" * 200, "nested too deeply"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ("1" * 5000, "number in this file is too large"),
        ('{"n": 1e999}', "number in this file is too large"),
        ('{"n": ' + "9" * 310 + ".0}", "number in this file is too large"),
    ],
)
def test_each_unusable_file_gets_its_own_message(text: str | bytes, message: str) -> None:
    with pytest.raises(InvalidFlowExport, match=message):
        parse_export(text)


def test_a_file_with_too_many_steps_is_refused() -> None:
    nodes: list[Json] = [{"uuid": str(at), "actions": []} for at in range(10_001)]
    for many in (nodes, [{"actions": nodes}]):
        with pytest.raises(InvalidFlowExport, match="more than 10,000 nodes or actions"):
            parse_export(json.dumps(export(flow("Large", [])) | {"flows": [{"definition": {"nodes": many}}]}))


@pytest.mark.parametrize("text", ["[]", "null", '"flows"', "{}", '{"flows": {}}', '{"flows": []}'])
def test_a_file_without_flows_is_refused(text: str) -> None:
    with pytest.raises(InvalidFlowExport, match='has no "flows"'):
        parse_export(text)


@pytest.mark.parametrize("flow", ["null", "{}", '{"definition": []}', '{"definition": {"nodes": {}}}'])
def test_a_flow_without_nodes_is_refused(flow: str) -> None:
    with pytest.raises(InvalidFlowExport, match="no definition with nodes"):
        parse_export(f'{{"flows": [{flow}]}}')


def test_a_formatted_file_is_readable() -> None:
    text = format_export(question_export())
    assert text.startswith('{\n  "flows": [\n')
    assert text.endswith("}\n")
    assert "उत्तर" in text
    assert parse_export(text) == question_export()


@pytest.mark.parametrize("indent", [None, 1, 2, 4, "\t"])
def test_an_unchanged_file_keeps_every_character(indent: Any) -> None:
    text = json.dumps(every_node_type(), indent=indent) + "\n"
    assert format_export(parse_export(text), original=text) == text


def test_lone_surrogates_stay_escaped() -> None:
    text = format_export({"flows": ["\ud83d"]})
    assert text.encode()
    assert json.loads(text) == {"flows": ["\ud83d"]}


@pytest.mark.parametrize("indent", [2, 4, "\t"])
def test_a_diff_shows_only_the_changes(indent: Any) -> None:
    text = json.dumps(question_export(), indent=indent)
    exported = parse_export(text)
    action_of(exported, "gpt")["method"] = "POST"
    action_of(exported, "gpt")["headers"]["X"] = "1"
    changed = format_export(exported, original=text)
    assert parse_export(changed) == exported
    difference = list(unified_diff(text.splitlines(), changed.splitlines(), n=0))[2:]
    assert [line.replace(" ", "").replace("\t", "") for line in difference if not line.startswith("@")] == [
        '-"method":"FUNCTION",',
        '+"method":"POST",',
        '-"Accept":"application/json"',
        '+"Accept":"application/json",',
        '+"X":"1"',
    ]


def test_formatting_outside_a_change_is_kept() -> None:
    text = '{ "a":[ \n ],\n\t"b" : 1e2, "c": "\\u00e9\\/", "d":{"x":0} }'
    after = {"a": [], "b": 100.0, "c": "é/", "d": {"x": 1}}
    assert patch_json(text, json.loads(text), after) == text.replace(":0}", ":1}")


@given(before=JSON, after=JSON, indent=INDENTS)
def test_any_change_is_written_exactly(before: Any, after: Any, indent: Any) -> None:
    text = json.dumps(before, indent=indent)
    changed = patch_json(text, json.loads(text), after)
    assert json.dumps(json.loads(changed)) == json.dumps(after)
    assert patch_json(text, json.loads(text), before) == text


def test_byte_order_mark_line_endings_and_end_of_file_are_kept() -> None:
    text = "\ufeff" + json.dumps(question_export(), indent=2).replace("\n", "\r\n")
    exported = parse_export(text)
    action_of(exported, "gpt")["headers"]["X"] = "1"
    for like in (text, text.encode()):
        changed = format_export(exported, original=like)
        before = '"Accept": "application/json"'
        assert changed == text.replace(before, before + ",\r\n" + " " * 18 + '"X": "1"')


def test_the_last_of_duplicate_keys_is_changed() -> None:
    text = '{"a": [1], "b": {"x": 1}, "a": {"y": 1}, "b": {"x": 2}}'
    before = json.loads(text)
    after = {"a": {"y": 5}, "b": {"x": 6}}
    assert patch_json(text, before, after) == '{"a": [1], "b": {"x": 1}, "a": {"y": 5}, "b": {"x": 6}}'


def test_brackets_and_quotes_in_strings_are_ignored() -> None:
    text = '{"a": ["]}\\"[{", {"]": "\\\\"}, [[["}"]], {}]], "b": 1}'
    assert patch_json(text, json.loads(text), json.loads(text) | {"b": 2}) == text.replace('"b": 1', '"b": 2')


def test_patching_a_large_file_needs_little_memory() -> None:
    text = json.dumps({"a": [[["ab"], {}, 5]] * 100_000, "b": 1})
    before = json.loads(text)
    tracemalloc.start()
    try:
        assert patch_json(text, before, {**before, "b": 2}).endswith('"b": 2}')
        assert tracemalloc.get_traced_memory()[1] < 4 * len(text)
    finally:
        tracemalloc.stop()
