"""Flow files are read whole, refused with a sentence, and written so that a diff shows what has changed."""

import json
import tracemalloc
from difflib import unified_diff
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glific_gpt.errors import NotAFlowExport
from glific_gpt.flows.files import read, written
from glific_gpt.flows.patching import spliced
from tests.flows.every_kind import every_kind
from tests.flows.exports import Json, action_of, as_file, asking, export, flow

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
INDENTS = st.sampled_from([None, 1, 2, 4, "\t"])


def test_it_reads_what_glific_exports_its_keys_in_their_order() -> None:
    whole = {"interactive_templates": [], **asking()}
    assert list(read(as_file(whole))) == list(whole)
    assert read(as_file(whole).encode()) == whole


def test_it_reads_a_file_that_an_editor_has_put_a_mark_before() -> None:
    assert read(b"\xef\xbb\xbf" + as_file(asking()).encode()) == asking()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "flows",
        as_file(asking())[:-40],
        '{"flows": [{"definition": {"nodes": []}}], "n": NaN}',
    ],
)
def test_what_is_not_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(NotAFlowExport, match="not JSON"):
        read(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"\xff\xfe\x00", "not saved as UTF-8"),
        ("[" * 200 + "]" * 200, "nested deeper than any flow"),
        ("[" * 100_000 + "]" * 100_000, "nested deeper than any flow"),
        ("1" * 5000, "number in this file is larger"),
        ('{"n": 1e999}', "number in this file is larger"),
        ('{"n": ' + "9" * 310 + ".0}", "number in this file is larger"),
    ],
)
def test_what_is_json_and_cannot_be_taken_is_told_so(text: str | bytes, why: str) -> None:
    with pytest.raises(NotAFlowExport, match=why):
        read(text)


def test_more_steps_than_flows_have_are_refused() -> None:
    nodes: list[Json] = [{"uuid": str(at), "actions": []} for at in range(10_001)]
    for many in (nodes, [{"actions": nodes}]):
        with pytest.raises(NotAFlowExport, match="more than 10,000 nodes or actions"):
            read(json.dumps(export(flow("Large", [])) | {"flows": [{"definition": {"nodes": many}}]}))


@pytest.mark.parametrize("text", ["[]", "null", '"flows"', "{}", '{"flows": {}}', '{"flows": []}'])
def test_what_holds_no_flows_is_refused(text: str) -> None:
    with pytest.raises(NotAFlowExport, match='has no "flows"'):
        read(text)


@pytest.mark.parametrize("flow", ["null", "{}", '{"definition": []}', '{"definition": {"nodes": {}}}'])
def test_a_flow_without_nodes_is_refused(flow: str) -> None:
    with pytest.raises(NotAFlowExport, match="no definition with nodes"):
        read(f'{{"flows": [{flow}]}}')


def test_it_writes_a_file_that_people_can_read() -> None:
    text = written(asking())
    assert text.startswith('{\n  "flows": [\n')
    assert text.endswith("}\n")
    assert "उत्तर" in text
    assert read(text) == asking()


@pytest.mark.parametrize("indent", [None, 1, 2, 4, "\t"])
def test_a_file_that_was_not_changed_is_written_as_it_was(indent: Any) -> None:
    text = json.dumps(every_kind(), indent=indent) + "\n"
    assert written(read(text), like=text) == text


def test_what_no_file_can_hold_stays_escaped() -> None:
    text = written({"flows": ["\ud83d"]})
    assert text.encode()
    assert json.loads(text) == {"flows": ["\ud83d"]}


@pytest.mark.parametrize("indent", [2, 4, "\t"])
def test_a_diff_shows_what_has_changed_and_nothing_else(indent: Any) -> None:
    text = json.dumps(asking(), indent=indent)
    whole = read(text)
    action_of(whole, "gpt")["method"] = "POST"
    action_of(whole, "gpt")["headers"]["X"] = "1"
    changed = written(whole, like=text)
    assert read(changed) == whole
    difference = list(unified_diff(text.splitlines(), changed.splitlines(), n=0))[2:]
    assert [line.replace(" ", "").replace("\t", "") for line in difference if not line.startswith("@")] == [
        '-"method":"FUNCTION",',
        '+"method":"POST",',
        '-"Accept":"application/json"',
        '+"Accept":"application/json",',
        '+"X":"1"',
    ]


def test_habits_of_the_file_outside_a_change_are_kept() -> None:
    text = '{ "a":[ \n ],\n\t"b" : 1e2, "c": "\\u00e9\\/", "d":{"x":0} }'
    after = {"a": [], "b": 100.0, "c": "é/", "d": {"x": 1}}
    assert spliced(text, after, json.loads(text)) == text.replace(":0}", ":1}")


@given(before=JSON, after=JSON, indent=INDENTS)
def test_whatever_changes_is_written_and_nothing_else(before: Any, after: Any, indent: Any) -> None:
    text = json.dumps(before, indent=indent)
    changed = spliced(text, after, json.loads(text))
    assert json.dumps(json.loads(changed)) == json.dumps(after)
    assert spliced(text, before, json.loads(text)) == text


def test_a_mark_at_the_beginning_lines_of_windows_and_the_end_are_kept() -> None:
    text = "\ufeff" + json.dumps(asking(), indent=2).replace("\n", "\r\n")
    whole = read(text)
    action_of(whole, "gpt")["headers"]["X"] = "1"
    for like in (text, text.encode()):
        changed = written(whole, like=like)
        before = '"Accept": "application/json"'
        assert changed == text.replace(before, before + ",\r\n" + " " * 18 + '"X": "1"')


def test_of_a_key_that_is_there_twice_the_second_counts() -> None:
    text = '{"a": [1], "b": {"x": 1}, "a": {"y": 1}, "b": {"x": 2}}'
    given_ = json.loads(text)
    after = {"a": {"y": 5}, "b": {"x": 6}}
    assert spliced(text, after, given_) == '{"a": [1], "b": {"x": 1}, "a": {"y": 5}, "b": {"x": 6}}'


def test_brackets_and_quotes_in_texts_are_no_structure() -> None:
    text = '{"a": ["]}\\"[{", {"]": "\\\\"}, [[["}"]], {}]], "b": 1}'
    assert spliced(text, json.loads(text) | {"b": 2}, json.loads(text)) == text.replace('"b": 1', '"b": 2')


def test_a_large_file_takes_memory_for_what_changes_alone() -> None:
    text = json.dumps({"a": [[["ab"], {}, 5]] * 100_000, "b": 1})
    given_ = json.loads(text)
    tracemalloc.start()
    try:
        assert spliced(text, {**given_, "b": 2}, given_).endswith('"b": 2}')
        assert tracemalloc.get_traced_memory()[1] < 4 * len(text)
    finally:
        tracemalloc.stop()
