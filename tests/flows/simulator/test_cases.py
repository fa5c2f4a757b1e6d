"""The cases of a router, as Glific evaluates them."""

import pytest

from glific_gpt.flows.simulator import Conversation
from glific_gpt.flows.simulator.event_log import FlowStuck
from glific_gpt.flows.simulator.outcomes import Message, location_message, media_message, text_message
from glific_gpt.flows.simulator.routers import case_matches
from tests.flows.simulator.conversations import simulate
from tests.flows.simulator.nodes import action_node, export, send_message, split_node


@pytest.mark.parametrize(
    ("kind", "arguments", "body", "matches"),
    [
        ("has_only_text", ["End"], " eND ", True),
        ("has_only_text", ["End"], "the end", False),
        ("has_number_eq", ["1"], "1.0", False),
        ("has_number_between", ["1", "5"], "5", True),
        ("has_number_between", ["1", "5"], "2.5", True),
        ("has_number_between", ["36.1", "37.2"], "36.6", True),
        ("has_number_between", ["36.1", "37.2"], "37.21", False),
        ("has_number_between", ["-1.5", "+1"], "-1.5", True),
        ("has_number_between", ["0", "1e3"], "999.9", True),
        ("has_number_between", ["1", "5"], "2 kg", False),
        ("has_number_between", ["1", "5"], ".5", False),
        ("has_number_between", ["1", "5"], "2,5", False),
        ("has_number_between", ["1", "5"], "३", False),
        ("has_number_between", ["", "5"], "3", False),
        ("has_number", [], "abc1", True),
        ("has_any_word", ["yes, ok"], "OK then", True),
        ("has_all_words", ["a b"], "b, c; a", True),
        ("has_all_words", ["a b"], "a", False),
        ("has_multiple", ["1,2,3"], "1 3", True),
        ("has_multiple", ["1,2,3"], "4", False),
        ("has_phrase", ["swalpa"], "Wait swalpa, please", True),
        ("has_phrase", ["Green Apple"], "this is a green apple!", True),
        ("has_phrase", ["this is a green apple"], "apple", False),
        ("has_phrase", ["हाँ"], "जी हाँ", True),
        ("has_beginning", ["hello"], "Hello there", True),
        ("has_beginning", ["hello there"], "hello", False),
        ("has_beginning", ["there"], "hello there", False),
        ("has_pattern", ["[a-"], "a", False),
        ("has_pattern", ["(yes"], "yes", False),
        ("has_pattern", ["*"], "*", False),
        ("has_pattern", ["a{3,2}"], "aaa", False),
        ("has_pattern", ["^.$"], "é", False),
        ("has_pattern", ["^हाँ"], "हाँ जी", True),
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
def test_cases_of_text_messages(kind: str, arguments: list[str], body: str, matches: bool) -> None:
    assert case_matches(kind, text_message(body), arguments, ["Mothers"]) is matches


@pytest.mark.parametrize(
    ("message", "kinds"),
    [
        (media_message("image", "https://example.org/a.jpg", "end"), {"has_media", "has_image"}),
        (media_message("audio", "https://example.org/a.ogg", ""), {"has_media", "has_audio"}),
        (media_message("document", "https://example.org/a.pdf", ""), {"has_media", "has_file"}),
        (location_message(28.6, 77.2), {"has_location"}),
    ],
)
def test_cases_of_media_and_locations(message: Message, kinds: set[str]) -> None:
    known = ("has_media", "has_image", "has_audio", "has_video", "has_file", "has_location", "has_only_text")
    assert {kind for kind in known if case_matches(kind, message, ["end"], [])} == kinds


@pytest.mark.parametrize(
    ("kind", "arguments"), [("has_text", []), ("has_number_lt", ["1"]), ("has_number_between", ["1"]), ("", [])]
)
def test_a_case_at_which_glific_crashes_is_a_problem(kind: str, arguments: list[str]) -> None:
    with pytest.raises(FlowStuck, match="would hang"):
        case_matches(kind, text_message("1"), arguments, [])


def pattern_flow(pattern: str) -> Conversation:
    split = split_node("split", {"Yes": "yes", "Other": "other"}, ("has_pattern", [pattern], "Yes"), operand="नमस्ते")
    messages = [action_node(name, send_message(name)) for name in ("yes", "other")]
    conversation = simulate(export(split, *messages))
    conversation.start()
    return conversation


def test_an_invalid_pattern_is_noted_and_matches_nothing() -> None:
    conversation = pattern_flow("(नमस्ते")
    assert (conversation.messages, conversation.problems) == (["other"], [])
    assert "is not a regular expression, so it matches nothing" in " ".join(conversation.transcript().split())


@pytest.mark.parametrize(("pattern", "is_sure"), [("नमस्ते", True), (r"^\w+$", False), ("(?i)नमस्ते", False)])
def test_the_simulation_says_that_it_is_not_sure_about_a_pattern(pattern: str, is_sure: bool) -> None:
    conversation = pattern_flow(pattern)
    assert ("is not sure" in " ".join(conversation.transcript().split())) is not is_sure
