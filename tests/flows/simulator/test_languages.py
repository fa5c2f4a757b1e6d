"""Flows in the language of the contact."""

from typing import Any

import pytest

from glific_gpt.flows.simulator import Contact
from tests.flows.simulator.conversations import simulate
from tests.flows.simulator.nodes import action_node, export, make_action, send_message, split_node

IN_HINDI: dict[str, Any] = {
    "hi": {
        "greeting": {"text": ["नमस्ते"]},
        "wait case 0": {"arguments": ["हाँ"]},
        "wait yes": {"name": ["जी"]},
        "thanks": {"text": [""]},
    }
}


def flow() -> Any:
    wait: dict[str, Any] = {"wait": {"type": "msg"}, "result_name": "sure"}
    return export(
        action_node("hello", send_message("Hello", "greeting"), then="wait"),
        split_node("wait", {"yes": "thanks", "Other": None}, ("has_only_text", ["yes"], "yes"), **wait),
        action_node("thanks", send_message("Thanks @results.sure.category", "thanks")),
        localization=IN_HINDI,
    )


@pytest.mark.parametrize(
    ("language", "reply", "messages"),
    [("English", "yes", ["Hello", "Thanks yes"]), ("Hindi", "हाँ", ["नमस्ते", "Thanks जी"]), ("Hindi", "yes", ["नमस्ते"])],
)
def test_it_uses_the_contacts_language_if_there_is_a_translation(
    language: str, reply: str, messages: list[str]
) -> None:
    conversation = simulate(flow(), contact=Contact(language=language))
    conversation.start()
    conversation.send_text(reply)
    assert conversation.messages == messages


def test_a_changed_language_applies_immediately() -> None:
    actions = (make_action("set_contact_language", language="Hindi"), send_message("Hello", "greeting"))
    conversation = simulate(export(action_node("hello", *actions), localization=IN_HINDI))
    conversation.start()
    assert conversation.messages == ["नमस्ते"]


def test_an_unknown_language_is_a_problem() -> None:
    conversation = simulate(export(action_node("hello", make_action("set_contact_language", language="Klingon"))))
    conversation.start()
    assert conversation.is_stuck
