"""The cases of a split, as Glific decides them."""

import pytest

from glific_gpt.flows.simulator.event_log import Hung
from glific_gpt.flows.simulator.outcomes import Message, media, place, written
from glific_gpt.flows.simulator.routers import passes


@pytest.mark.parametrize(
    ("kind", "arguments", "body", "passed"),
    [
        ("has_only_text", ["End"], " eND ", True),
        ("has_only_text", ["End"], "the end", False),
        ("has_number_eq", ["1"], "1.0", False),
        ("has_number_between", ["1", "5"], "5", True),
        ("has_number_between", ["1", "5"], "2.5", False),
        ("has_number", [], "abc1", True),
        ("has_any_word", ["yes, ok"], "OK then", True),
        ("has_all_words", ["a b"], "b, c; a", True),
        ("has_all_words", ["a b"], "a", False),
        ("has_multiple", ["1,2,3"], "1 3", True),
        ("has_multiple", ["1,2,3"], "4", False),
        ("has_phrase", ["This is a green apple"], "apple", True),
        ("has_phrase", ["apple"], "This is a green apple", False),
        ("has_beginning", ["hello there"], "hello", True),
        ("has_pattern", ["^[A-Z]+$"], "ABC", True),
        ("has_pattern", [r"\D"], "abc", False),
        ("has_phone", [], "+91 98765 43210", True),
        ("has_phone", [], "12345", False),
        ("has_email", [], "asha@example.com", True),
        ("has_email", [], "asha", False),
        ("has_group", ["7", "Mothers"], "", True),
        ("has_group", ["8", "Fathers"], "", False),
        ("has_intent", ["all", "0.1"], "hello", False),
        ("has_category", [], "", True),
        ("has_media", [], "picture", False),
    ],
)
def test_a_case_of_what_was_typed(kind: str, arguments: list[str], body: str, passed: bool) -> None:
    assert passes(kind, written(body), arguments, ["Mothers"]) is passed


@pytest.mark.parametrize(
    ("message", "kinds"),
    [
        (media("image", "https://example.org/a.jpg", "end"), {"has_media", "has_image"}),
        (media("audio", "https://example.org/a.ogg", ""), {"has_media", "has_audio"}),
        (media("document", "https://example.org/a.pdf", ""), {"has_media", "has_file"}),
        (place(28.6, 77.2), {"has_location"}),
    ],
)
def test_a_case_of_what_is_not_text(message: Message, kinds: set[str]) -> None:
    known = ("has_media", "has_image", "has_audio", "has_video", "has_file", "has_location", "has_only_text")
    assert {kind for kind in known if passes(kind, message, ["end"], [])} == kinds


@pytest.mark.parametrize(
    ("kind", "arguments"), [("has_text", []), ("has_number_lt", ["1"]), ("has_number_between", ["1"]), ("", [])]
)
def test_a_case_that_glific_crashes_at_is_trouble(kind: str, arguments: list[str]) -> None:
    with pytest.raises(Hung, match="would hang"):
        passes(kind, written("1"), arguments, [])


def test_a_pattern_that_is_none_is_trouble() -> None:
    with pytest.raises(Hung, match="regular expression"):
        passes("has_pattern", written("1"), ["[a-"], [])
