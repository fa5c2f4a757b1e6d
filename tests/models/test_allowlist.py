"""Allowlists: patterns match whole ids."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glific_gpt.models.allowlist import matches_any, parse_patterns
from glific_gpt.settings import MAX_PATTERNS
from glific_gpt.wildcards import MAX_STARS


@pytest.mark.parametrize(
    ("pattern", "model_id"),
    [
        ("gpt-4o", "gpt-4o"),
        ("gpt-4o", "GPT-4o"),
        ("gpt-4o*", "gpt-4o"),
        ("gpt-4o*", "gpt-4o-mini-2024-07-18"),
        ("*mini", "gpt-5-mini"),
        ("gpt-*-mini", "gpt-5.4-mini"),
        ("g*4*mini*", "gpt-4o-mini-2024-07-18"),
        ("ft:gpt-4o*", "ft:gpt-4o-mini:org::abc"),
        ("*", "anything-at-all"),
        ("**", "anything-at-all"),
    ],
)
def test_a_pattern_allows_ids_that_it_matches(pattern: str, model_id: str) -> None:
    assert matches_any(parse_patterns([pattern]), model_id)


@pytest.mark.parametrize(
    ("pattern", "model_id"),
    [
        ("gpt-4o", "gpt-4o-mini"),
        ("gpt-4o", "chatgpt-4o"),
        ("gpt-4o", "gpt-4o\n"),
        ("gpt-4o*", "gpt-4o\no3"),
        ("gpt-4o*", "o3\ngpt-4o"),
        ("gpt-4o*", "ft:gpt-4o-mini:org::abc"),
        ("gpt-4.1", "gpt-4x1"),
        ("gpt-*-mini", "gpt-5.4-mini-2026-03-17"),
        ("a*b*a", "aba-b"),
        ("aa*aa", "aaa"),
        ("*b*ab", "ab"),
        ("k", "\N{KELVIN SIGN}"),
    ],
)
def test_a_pattern_refuses_ids_that_it_matches_only_partly(pattern: str, model_id: str) -> None:
    assert not matches_any(parse_patterns([pattern]), model_id)


def test_one_of_several_patterns_must_match() -> None:
    patterns = parse_patterns(["gpt-4o", "o3*"])
    assert [matches_any(patterns, name) for name in ("gpt-4o", "o3-mini", "gpt-4o3", "gpt-4")] == [
        True,
        True,
        False,
        False,
    ]


def test_no_patterns_allow_nothing() -> None:
    assert not matches_any((), "gpt-4o")
    assert not matches_any((), "")


def test_patterns_are_normalized_and_keep_their_order() -> None:
    assert parse_patterns([" GPT-5* ", "", "o3", "  ", "gpt-5**", "O3"]) == ("gpt-5*", "o3")


@pytest.mark.parametrize("pattern", ["gpt 4o", "gpt-4?", "gpt-[45]", "gpt-4o\no3", "gpt,o3", "a" * 201, "gpt-é"])
def test_a_malformed_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+ model pattern [^\n]+$"):
        parse_patterns(["gpt-4o", pattern])


def test_stars_and_patterns_are_limited() -> None:
    assert parse_patterns(["*a" * MAX_STARS, "**b**"]) == ("*a" * MAX_STARS, "*b*")
    with pytest.raises(ValueError, match=rf"has too many stars\. Use at most {MAX_STARS}\.$"):
        parse_patterns(["*a" * (MAX_STARS + 1)])
    assert len(parse_patterns(f"gpt-{n}" for n in range(MAX_PATTERNS))) == MAX_PATTERNS
    with pytest.raises(ValueError, match=rf"^A list can have at most {MAX_PATTERNS} model patterns\."):
        parse_patterns(f"gpt-{n}" for n in range(MAX_PATTERNS + 1))


@pytest.mark.timeout(20)
def test_a_list_that_was_stored_before_the_limits_is_matched_quickly() -> None:
    patterns = [f"*{n}" + "*a" * 99 for n in range(1000)]
    assert not matches_any(patterns, "a" * 200)
    assert matches_any([*patterns, "*a*a*"], "a" * 200)


@given(pattern=st.text("ab*", min_size=1, max_size=12), name=st.text("abAB", max_size=12))
def test_it_matches_as_the_equivalent_regular_expression(pattern: str, name: str) -> None:
    assert matches_any([pattern], name) == bool(re.fullmatch(pattern.replace("*", ".*"), name.lower()))
