"""Tests of Glific's variables in text."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glific_gpt.glific.variables import JSON, ROOTS, find_unresolved, neutralise, neutralise_json

EXPANDED_BY_GLIFIC = re.compile(rf"@(?:{'|'.join(ROOTS)})\b(?!-)|<%", re.IGNORECASE)
HOSTILE = st.lists(
    st.sampled_from(["@", "<", "%", ">", "=", ".", "-", " ", "\n", "\u200b", "a", "ह", "RESULTS", "fields", *ROOTS])
).map("".join)


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("@results.question_1", ["@results.question_1"]),
        ("My village is @contact.fields.village.", ["@contact.fields.village"]),
        ("Is it @global.helpline, or @flow.id?", ["@global.helpline", "@flow.id"]),
        ("(@Results.Question)", ["@Results.Question"]),
        ("@calendar.current_date!", ["@calendar.current_date"]),
        ("@results.parent.q.input and @results.child.q", ["@results.parent.q.input", "@results.child.q"]),
        ("@results.a.b.c.d.e.f", ["@results.a.b.c.d"]),
        ("@results.crop-name...", ["@results.crop-name"]),
        ("@results.a @results.a", ["@results.a"]),
        ("क्या @results.फसल है? @results.fasal।", ["@results.fasal"]),
        ("@@results.x", ["@results.x"]),
        ("@wa_group.label and @group.fields.x", ["@wa_group.label", "@group.fields.x"]),
        (" @results\n", ["@results"]),
        ("@contact", ["@contact"]),
    ],
)
def test_it_finds_what_glific_left_unresolved(text: str, variables: list[str]) -> None:
    assert find_unresolved(text) == variables


@pytest.mark.parametrize(
    "text",
    [
        "",
        "What is ORS?",
        "Write to asha@contact.org or ravi@results.in",
        "मेरा ईमेल ravi@global.org है",
        "Follow @glific.org and @contactless.pay",
        "@results-2024.pdf",
        "Meet @contact at the centre",
        "@ results.x",
        "results.x",
        "@results.",
        "user@example.com",
    ],
)
def test_it_takes_nothing_else_for_a_variable(text: str) -> None:
    assert find_unresolved(text) == []


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("<%= System.halt() %>", "<\u200b%= System.halt() %>"),
        ("<<%%", "<<\u200b%%"),
        ("<\u200b%", "<\u200b%"),
        ("@@results.x", "@@\u200bresults.x"),
        ("asha@contact.name", "asha@\u200bcontact.name"),
        ("@RESULTS.x", "@\u200bRESULTS.x"),
        ("@contact", "@\u200bcontact"),
        ("5 <", "5 <\u200b"),
        ("@", "@\u200b"),
    ],
)
def test_it_breaks_what_glific_would_run(text: str, harmless: str) -> None:
    assert neutralise(text) == harmless


@pytest.mark.parametrize(
    "text",
    [
        "5 < 6 and 10% of 7 > 3",
        "asha@globalhealth.org",
        "@contactless.pay",
        "a %> b",
        "@who",
        "फसल @ 20 रुपये",
        "",
    ],
)
def test_it_leaves_harmless_text_as_it_is(text: str) -> None:
    assert neutralise(text) == text


@given(HOSTILE | st.text())
def test_it_leaves_nothing_to_run_however_the_text_is_made(text: str) -> None:
    harmless = neutralise(text)
    assert not EXPANDED_BY_GLIFIC.search(harmless)
    assert find_unresolved(harmless) == []
    assert harmless.replace("\u200b", "") == text.replace("\0", "").replace("\u200b", "")


@given(HOSTILE)
def test_it_changes_nothing_the_second_time(text: str) -> None:
    assert neutralise(neutralise(text)) == neutralise(text)


@given(st.lists(HOSTILE, min_size=2))
def test_a_flow_that_puts_two_answers_side_by_side_runs_nothing(texts: list[str]) -> None:
    joined = "".join(neutralise(text) for text in texts)
    assert "<%" not in joined


def test_it_neutralises_every_string_and_key_of_a_json_value() -> None:
    value: JSON = {"a": ["<%", {"@results.x": "@contact.name"}], "n": [1, 2.5, True, False, None], "t": "ok"}
    assert neutralise_json(value) == {
        "a": ["<\u200b%", {"@\u200bresults.x": "@\u200bcontact.name"}],
        "n": [1, 2.5, True, False, None],
        "t": "ok",
    }


def test_it_leaves_the_given_json_value_untouched() -> None:
    value: JSON = {"a": ["<%", {"b": "<%"}]}
    neutralise_json(value)
    assert value == {"a": ["<%", {"b": "<%"}]}


@pytest.mark.parametrize("value", ["<%", 3, None, True, [], {}])
def test_it_takes_a_json_value_that_is_no_object(value: JSON) -> None:
    assert neutralise_json(value) == ("<\u200b%" if value == "<%" else value)


def test_it_takes_json_nested_deeper_than_python_recurses() -> None:
    value: JSON = "<%"
    for _ in range(5000):
        value = [value]
    value = neutralise_json(value)
    while isinstance(value, list):
        value = value[0]
    assert value == "<\u200b%"


JSON_VALUES: st.SearchStrategy[JSON] = st.recursive(
    st.none() | st.booleans() | st.integers() | HOSTILE,
    lambda inner: st.lists(inner) | st.dictionaries(HOSTILE, inner),
    max_leaves=10,
)


@given(JSON_VALUES)
def test_it_leaves_nothing_to_run_in_a_json_value(value: JSON) -> None:
    assert not EXPANDED_BY_GLIFIC.search(json.dumps(neutralise_json(value), ensure_ascii=False))


def test_it_takes_nul_out_which_glifics_database_cannot_store() -> None:
    assert neutralise_json({"cr\0op": ["ri\0ce"]}) == {"crop": ["rice"]}
    assert "<%" not in neutralise("<\0%")
