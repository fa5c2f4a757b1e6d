"""A file that Glific would not import, load or run as it looks is told so, rule by rule."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glific_gpt.flows.rules import broken
from tests.flows.every_kind import every_kind
from tests.flows.exports import Json, action_of, asking, export, flow, node_of, says, uid
from tests.flows.wrecking import definition, only, router

Break = Callable[[Json], object]


def test_a_sound_file_breaks_no_rule() -> None:
    assert broken(asking()) == []
    assert broken(every_kind()) == []


@pytest.mark.parametrize("key", ["contact_field", "collections", "interactive_templates"])
def test_a_list_of_the_file_is_missing(key: str) -> None:
    assert only(asking(), lambda whole: whole.pop(key)).startswith(f"The file's {key} is not a list")


@pytest.mark.parametrize(
    ("wreck", "says"),
    [
        (lambda whole: whole.update(flows=[]), "The file's flows is not a list of flows."),
        (lambda whole: whole["flows"].append({"keywords": []}), "A flow of the file has no definition."),
        (lambda whole: whole["flows"][0].pop("keywords"), 'Flow "Ask": its keywords are not a list of texts.'),
        (
            lambda whole: whole["flows"][0].update(keywords=["Ask GPT!"]),
            'Flow "Ask": its keyword "Ask GPT!" is never heard: Glific hears "askgpt".',
        ),
        (lambda whole: definition(whole).update(name=" "), 'Flow " ": it has no name.'),
        (lambda whole: definition(whole).update(uuid="1"), 'Flow "Ask": its uuid is not a UUID.'),
        (
            lambda whole: definition(whole).update(localization=None),
            'Flow "Ask": its localization is not an object; an empty one is fine.',
        ),
    ],
)
def test_the_file_or_flow_is_not_as_import_reads_it(wreck: Break, says: str) -> None:
    assert only(asking(), wreck) == says


@pytest.mark.parametrize(
    ("name", "keyword", "uuid", "says"),
    [
        ("Ask", "b", uid("b"), 'Two flows of the file have the name "Ask".'),
        ("B", "ask", uid("b"), 'Two flows of the file have the keyword "ask".'),
        ("B", "b", uid("flow Ask"), f'Two flows of the file have the uuid "{uid("flow Ask")}".'),
    ],
)
def test_two_flows_share_what_must_be_their_own(name: str, keyword: str, uuid: str, says: str) -> None:
    other = flow(name, [_message("other")], keyword, uuid=uuid)
    assert broken(export(*asking()["flows"], other)) == [says]


def _message(name: str) -> Json:
    return says(name, "Hello", None)


def test_a_flow_has_no_nodes() -> None:
    assert 'Flow "Empty": its nodes are not a list of nodes.' in broken(export(flow("Empty", [])))


@pytest.mark.parametrize(
    "part",
    [
        lambda whole: node_of(whole, "sorry")["exits"][0],
        lambda whole: action_of(whole, "gpt"),
        lambda whole: router(whole, "gpt")["cases"][0],
    ],
)
def test_a_uuid_is_used_twice(part: Callable[[Json], Json]) -> None:
    twice = uid("ask action 0")
    sentence = only(asking(), lambda whole: part(whole).update(uuid=twice))
    assert sentence == f'Flow "Ask": the uuid {twice} is there more than once.'


HUGE = {"nodes": {uid("ask"): {"position": {"left": 10**400, "top": 10**400}}}}


@pytest.mark.parametrize(
    "drawing",
    [None, {}, {"nodes": {}}, {"nodes": {uid("ask"): {"position": {"left": 0}}}}, HUGE],
)
def test_glific_finds_no_start(drawing: Any) -> None:
    whole = asking()
    definition(whole)["_ui"] = drawing
    assert 'Flow "Ask": no node is drawn at a place, so Glific finds no start.' in broken(whole)


def test_what_is_drawn_first_is_no_node() -> None:
    whole = asking()
    drawn = definition(whole)["_ui"]["nodes"]
    drawn["elsewhere"] = drawn.pop(uid("ask"))
    assert broken(whole) == [
        'Flow "Ask": its drawing begins with elsewhere, which is no node, so Glific finds no start.'
    ]


def test_what_is_left_over_in_the_drawing_does_not_matter() -> None:
    whole = asking()
    drawn = definition(whole)["_ui"]["nodes"]
    drawn["elsewhere"] = drawn.pop(uid("sorry"))
    assert broken(whole) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_any_json_is_answered(whole: Any) -> None:
    assert broken(whole) != []


@given(data=st.data(), value=JSON)
def test_any_value_at_any_place_of_a_flow_is_answered(data: st.DataObject, value: Any) -> None:
    whole: Any = every_kind()
    place = whole
    while True:
        keys = list(place) if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(list(keys)))
        if not place[key] or not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = value
    assert all(isinstance(sentence, str) for sentence in broken(whole))
