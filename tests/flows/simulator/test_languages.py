"""Flows in the language of the contact."""

from typing import Any

import pytest

from glific_gpt.flows.simulator import Contact, Conversation
from tests.flows.simulator.building import act, does, export, says, splits

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
        does("hello", says("Hello", "greeting"), then="wait"),
        splits("wait", {"yes": "thanks", "Other": None}, ("has_only_text", ["yes"], "yes"), **wait),
        does("thanks", says("Thanks @results.sure.category", "thanks")),
        localization=IN_HINDI,
    )


@pytest.mark.parametrize(
    ("language", "reply", "messages"),
    [("English", "yes", ["Hello", "Thanks yes"]), ("Hindi", "हाँ", ["नमस्ते", "Thanks जी"]), ("Hindi", "yes", ["नमस्ते"])],
)
def test_it_speaks_the_contacts_language_where_the_flow_does(language: str, reply: str, messages: list[str]) -> None:
    conversation = Conversation(flow(), contact=Contact(language=language))
    conversation.start()
    conversation.say(reply)
    assert conversation.messages == messages


def test_a_language_that_is_set_counts_at_once() -> None:
    actions = (act("set_contact_language", language="Hindi"), says("Hello", "greeting"))
    conversation = Conversation(export(does("hello", *actions), localization=IN_HINDI))
    conversation.start()
    assert conversation.messages == ["नमस्ते"]


def test_a_language_that_glific_does_not_have_is_trouble() -> None:
    conversation = Conversation(export(does("hello", act("set_contact_language", language="Klingon"))))
    conversation.start()
    assert conversation.hangs
