"""Files that Glific would not import, load or run are reported, rule by rule."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from glific_gpt.flows.rules import find_violations
from tests.flows.any_values import JSON, flows_with_any_value
from tests.flows.every_node_type import every_node_type
from tests.flows.exports import Json, action_of, export, flow, message_node, node_of, question_export, uuid_of
from tests.flows.helpers import first_definition, only_violation, router_of

Break = Callable[[Json], object]


def test_a_valid_file_breaks_no_rule() -> None:
    assert find_violations(question_export()) == []
    assert find_violations(every_node_type()) == []


@pytest.mark.parametrize("key", ["contact_field", "collections", "interactive_templates"])
def test_a_missing_list_is_reported(key: str) -> None:
    assert only_violation(question_export(), lambda exported: exported.pop(key)).startswith(
        f"The file's {key} is not a list"
    )


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (lambda exported: exported.update(flows=[]), "The file's flows is not a list of flows."),
        (lambda exported: exported["flows"].append({"keywords": []}), "A flow of the file has no definition."),
        (lambda exported: exported["flows"][0].pop("keywords"), 'Flow "Ask": its keywords are not a list of texts.'),
        (
            lambda exported: exported["flows"][0].update(keywords=["Ask GPT!"]),
            'Flow "Ask": its keyword "Ask GPT!" never matches. Glific compares "askgpt".',
        ),
        (lambda exported: first_definition(exported).update(name=" "), 'Flow " ": it has no name.'),
        (lambda exported: first_definition(exported).update(uuid="1"), 'Flow "Ask": its uuid is not a UUID.'),
        (
            lambda exported: first_definition(exported).update(localization=[]),
            'Flow "Ask": its localization is not an object; without one it is fine.',
        ),
    ],
)
def test_a_file_that_cannot_be_imported_is_reported(break_it: Break, sentence: str) -> None:
    assert only_violation(question_export(), break_it) == sentence


@pytest.mark.parametrize(
    ("name", "keyword", "uuid", "sentence"),
    [
        ("Ask", "b", uuid_of("b"), 'Two flows of the file have the name "Ask".'),
        ("B", "ask", uuid_of("b"), 'Two flows of the file have the keyword "ask".'),
        ("B", "b", uuid_of("flow Ask"), f'Two flows of the file have the uuid "{uuid_of("flow Ask")}".'),
    ],
)
def test_flows_with_the_same_identity_are_reported(name: str, keyword: str, uuid: str, sentence: str) -> None:
    other = flow(name, [_message("other")], keyword, uuid=uuid)
    assert find_violations(export(*question_export()["flows"], other)) == [sentence]


def _message(name: str) -> Json:
    return message_node(name, "Hello", None)


def test_a_flow_without_nodes_is_reported() -> None:
    assert 'Flow "Empty": its nodes are not a list of nodes.' in find_violations(export(flow("Empty", [])))


@pytest.mark.parametrize(
    "part",
    [
        lambda exported: node_of(exported, "sorry")["exits"][0],
        lambda exported: action_of(exported, "gpt"),
        lambda exported: router_of(exported, "gpt")["cases"][0],
    ],
)
def test_a_duplicate_uuid_is_reported(part: Callable[[Json], Json]) -> None:
    twice = uuid_of("ask action 0")
    sentence = only_violation(question_export(), lambda exported: part(exported).update(uuid=twice))
    assert sentence == f'Flow "Ask": the uuid {twice} occurs more than once.'


HUGE = {"nodes": {uuid_of("ask"): {"position": {"left": 10**400, "top": 10**400}}}}


@pytest.mark.parametrize(
    "drawing",
    [None, {}, {"nodes": {}}, {"nodes": {uuid_of("ask"): {"position": {"left": 0}}}}, HUGE],
)
def test_a_flow_without_positions_is_reported(drawing: Any) -> None:
    exported = question_export()
    first_definition(exported)["_ui"] = drawing
    assert 'Flow "Ask": no node has a position, so Glific finds no start.' in find_violations(exported)


def test_a_first_position_without_a_node_is_reported() -> None:
    exported = question_export()
    drawn = first_definition(exported)["_ui"]["nodes"]
    drawn["elsewhere"] = drawn.pop(uuid_of("ask"))
    assert find_violations(exported) == [
        'Flow "Ask": the first position belongs to elsewhere, which is not a node, so Glific finds no start.'
    ]


def test_leftover_positions_are_ignored() -> None:
    exported = question_export()
    drawn = first_definition(exported)["_ui"]["nodes"]
    drawn["elsewhere"] = drawn.pop(uuid_of("sorry"))
    assert find_violations(exported) == []


@given(JSON)
def test_any_json_is_checked_without_an_error(exported: Any) -> None:
    assert find_violations(exported) != []


@given(flows_with_any_value())
def test_any_value_in_a_flow_is_checked_without_an_error(exported: Any) -> None:
    assert all(isinstance(sentence, str) for sentence in find_violations(exported))
