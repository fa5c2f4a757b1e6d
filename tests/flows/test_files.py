"""Flow files are read whole, refused with a sentence, and written so that a diff shows what has changed."""

import json
from difflib import unified_diff
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glific_gpt.errors import NotAFlowExport
from glific_gpt.flows.files import read, written
from glific_gpt.flows.splicing import spliced
from tests.flows.every_kind import every_kind
from tests.flows.exports import action_of, as_file, asking

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
INDENTS = st.sampled_from([None, 1, 2, 4, "\t"])


def test_it_reads_what_glific_exports_its_keys_in_their_order() -> None:
    export = {"interactive_templates": [], **asking()}
    assert list(read(as_file(export))) == list(export)
    assert read(as_file(export).encode()) == export


def test_it_reads_a_file_that_an_editor_has_put_a_mark_before() -> None:
    assert read(b"\xef\xbb\xbf" + as_file(asking()).encode()) == asking()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "flows",
        b"\xff\xfe\x00",
        as_file(asking())[:-40],
        '{"flows": [{"definition": {"nodes": []}}], "n": NaN}',
        '{"flows": [{"definition": {"nodes": []}}], "n": 1e999}',
        '{"flows": [{"definition": {"nodes": ' + "[" * 5000 + "]" * 5000 + "}}]}",
        '{"flows": [{"definition": {"nodes": ' + "[" * 200 + "]" * 200 + "}}]}",
        "1" * 5000,
    ],
)
def test_what_is_not_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(NotAFlowExport, match="not JSON"):
        read(text)


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
    export = read(text)
    action_of(export, "gpt")["method"] = "POST"
    action_of(export, "gpt")["headers"]["X"] = "1"
    changed = written(export, like=text)
    assert read(changed) == export
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
    assert spliced(text, {"a": [], "b": 100.0, "c": "é/", "d": {"x": 1}}) == text.replace(":0}", ":1}")


@given(before=JSON, after=JSON, indent=INDENTS)
def test_whatever_changes_is_written_and_nothing_else(before: Any, after: Any, indent: Any) -> None:
    text = json.dumps(before, indent=indent)
    changed = spliced(text, after)
    assert json.dumps(json.loads(changed)) == json.dumps(after)
    assert spliced(text, before) == text
