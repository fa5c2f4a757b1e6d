"""Neutralised variables and code in answers."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glific_gpt.flows.suspicious_code import SUSPICIOUS_CODE, find_suspicious_code
from glific_gpt.flows.variables import ROOTS, find_unresolved
from glific_gpt.glific.variables import JSON, map_json, neutralise

EXPANDED_BY_GLIFIC = re.compile(rf"@(?:{'|'.join(ROOTS)})\b(?!-)|<%", re.IGNORECASE)
HOSTILE = st.lists(
    st.sampled_from(
        [
            "@",
            "<",
            "%",
            ">",
            "=",
            ".",
            "-",
            " ",
            "\n",
            "\u200b",
            "a",
            "ह",
            "RESULTS",
            "fields",
            "http://x/",
            *ROOTS,
            *SUSPICIOUS_CODE,
        ]
    )
).map("".join)


def neutralise_json(value: JSON) -> JSON:
    """Neutralise a value, with an empty text for null."""
    return map_json(value, lambda text: neutralise(text or ""))


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("<%= System.halt() %>", "<\u200b%= System\u200b.halt() %>"),
        ("<<%%", "<<\u200b%%"),
        ("<\u200b%", "<\u200b%"),
        ("@@results.x", "@@\u200bresults.x"),
        ("asha@contact.name", "asha@\u200bcontact.name"),
        ("@RESULTS.x", "@\u200bRESULTS.x"),
        ("@contact", "@\u200bcontact"),
        ("5 <", "5 <\u200b"),
        ("@", "@\u200b"),
        ("your Immune System. It", "your Immune System\u200b. It"),
        ("RADIO. (apply(x) respawn(", "RADIO\u200b. (apply\u200b(x) respawn\u200b("),
        (":os.cmd :erlang.halt", ":os\u200b.cmd :erlang\u200b.halt"),
        ("System.File.", "System\u200b.File\u200b."),
        ("https://Code.org/a.File.b(apply(c)", "https://code.org/a.File%2Eb(apply%28c)"),
        ("(https://x.org/@contact)", "(https://x.org/%40contact)"),
    ],
)
def test_it_neutralises_code_that_glific_would_run(text: str, harmless: str) -> None:
    assert neutralise(text) == harmless


@pytest.mark.parametrize(
    "text",
    [
        "5 < 6 and 10% of 7 > 3",
        "asha@globalhealth.org",
        "@contactless.pay",
        "a %> b",
        "@who",
        "system. file. code. System File apply (x) System\n.",
        "https://code.org/file.pdf",
        "फसल @ 20 रुपये",
        "",
    ],
)
def test_it_leaves_harmless_text_unchanged(text: str) -> None:
    assert neutralise(text) == text


@given(HOSTILE | st.text())
def test_no_text_contains_runnable_code_afterwards(text: str) -> None:
    harmless = neutralise(text)
    assert not EXPANDED_BY_GLIFIC.search(harmless)
    assert find_unresolved(harmless) == []
    assert find_suspicious_code(harmless) == []
    assert "://" in text or harmless.replace("\u200b", "") == text.replace("\0", "").replace("\u200b", "")


@given(HOSTILE)
def test_it_is_idempotent(text: str) -> None:
    assert neutralise(neutralise(text)) == neutralise(text)


@given(st.lists(HOSTILE, min_size=2))
def test_two_joined_answers_contain_no_runnable_code(texts: list[str]) -> None:
    joined = "".join(neutralise(text) for text in texts)
    assert "<%" not in joined


def test_it_neutralises_every_string_and_key_of_a_json_value() -> None:
    value: JSON = {"a": ["<%", {"@results.x": "@contact.name"}], "n": [1, 2.5, True, False, None], "t": "ok"}
    assert neutralise_json(value) == {
        "a": ["<\u200b%", {"@\u200bresults.x": "@\u200bcontact.name"}],
        "n": [1, 2.5, True, False, ""],
        "t": "ok",
    }


def test_it_does_not_modify_the_given_json_value() -> None:
    value: JSON = {"a": ["<%", {"b": "<%"}]}
    neutralise_json(value)
    assert value == {"a": ["<%", {"b": "<%"}]}


@pytest.mark.parametrize("value", ["<%", 3, True, [], {}])
def test_it_accepts_a_json_value_that_is_not_an_object(value: JSON) -> None:
    assert neutralise_json(value) == ("<\u200b%" if value == "<%" else value)


def test_it_accepts_json_that_is_nested_deeper_than_python_recurses() -> None:
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
def test_no_json_value_contains_runnable_code_afterwards(value: JSON) -> None:
    assert not EXPANDED_BY_GLIFIC.search(json.dumps(neutralise_json(value), ensure_ascii=False))


def test_it_removes_nul() -> None:
    assert neutralise_json({"cr\0op": ["ri\0ce"]}) == {"crop": ["rice"]}
    assert "<%" not in neutralise("<\0%")
