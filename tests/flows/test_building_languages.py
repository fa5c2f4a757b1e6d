"""Flows in Hindi, and flows with a prompt of their own."""

import json
import re
from dataclasses import fields, replace
from typing import Any

import pytest

from glific_gpt.errors import InvalidValue
from glific_gpt.flows.building import FlowSpec, Language, Mode, build_flow, default_prompt
from glific_gpt.flows.building.texts import Texts, texts_in
from glific_gpt.flows.endpoint import WebhookEndpoint
from glific_gpt.flows.rules import find_remarks, find_violations
from glific_gpt.flows.simulator import Conversation, WebhookResponse

VARIABLE = re.compile(r"@[a-z_][\w.]*\w|\{\w+\}")
DEVANAGARI = re.compile(r"[\u0900-\u097f]")


@pytest.fixture
def hindi(spec: FlowSpec) -> FlowSpec:
    return replace(spec, language=Language.HINDI, has_memory=True, uses_documents=True)


def texts_of(spec: FlowSpec) -> dict[str, list[str]]:
    """Return the messages and the notes of a flow."""
    definition = build_flow(spec)["flows"][0]["definition"]
    actions = [action for node in definition["nodes"] for action in node["actions"]]
    notes = definition["_ui"]["stickies"].values()
    return {
        "messages": [action["text"] for action in actions if action["type"] == "send_msg"],
        "notes": [note[part] for note in notes for part in ("title", "body")],
    }


def sent_prompt(spec: FlowSpec) -> Any:
    nodes = build_flow(spec)["flows"][0]["definition"]["nodes"]
    (body,) = (action["body"] for node in nodes for action in node["actions"] if action["type"] == "call_webhook")
    return json.loads(body)["prompt"]


def test_every_message_and_note_of_a_hindi_flow_is_in_hindi(hindi: FlowSpec) -> None:
    assert find_violations(build_flow(hindi)) == []
    assert list(find_remarks(build_flow(hindi))) == []
    texts, english = texts_of(hindi), texts_of(replace(hindi, language=Language.ENGLISH))
    for kind, shown in texts.items():
        assert len(shown) == len(english[kind])
        for text in shown:
            assert DEVANAGARI.search(text), text
            assert not {"the", "to", "your", "answer", "question"} & set(text.lower().split()), text


def test_the_languages_have_the_same_variables() -> None:
    for name in {field.name for field in fields(Texts)} - {"exit_words"}:
        found = [sorted(set(VARIABLE.findall(" ".join(text) if name in NOTES else text))) for text in pair(name)]
        assert found[0] == found[1], name


NOTES = {"about", "change", "memory", "documents", "bearer_auth", "signature_auth", "deferred", "keep"}


def pair(name: str) -> list[Any]:
    return [getattr(texts_in(language), name) for language in Language]


def test_an_answer_leaves_space_for_the_hindi_text_after_it() -> None:
    beside = texts_in(Language.HINDI).answer.replace("@results.gpt_response.parsed_msg", "")
    assert len(beside.replace("@results.n.input", "1000000")) < 195


@pytest.mark.parametrize("word", ["बंद", " बंद ", "END", "end"])
def test_a_hindi_flow_ends_with_a_hindi_or_an_english_word(endpoint: WebhookEndpoint, word: str) -> None:
    spec = FlowSpec(Mode.SYNC, "पूछें", "पूछो", endpoint, "gpt-4o-mini", language=Language.HINDI)
    conversation = Conversation(build_flow(spec), send=lambda _request: WebhookResponse(0, 200, b"{}"))
    conversation.start("पूछो")
    conversation.send_text("ORS क्या है?")
    assert conversation.waits_for == "reply"
    conversation.send_text(word)
    assert conversation.messages[-1] == "धन्यवाद! फिर से पूछने के लिए पूछो भेजें।"
    assert conversation.problems == []


def test_a_word_that_ends_the_conversation_cannot_start_it(endpoint: WebhookEndpoint) -> None:
    spec = FlowSpec(Mode.SYNC, "Ask", "बंद", endpoint, "gpt-4o-mini")
    assert build_flow(spec)["flows"][0]["keywords"] == ["बंद"]
    with pytest.raises(InvalidValue, match="finishes the conversation"):
        build_flow(replace(spec, language=Language.HINDI))


@pytest.mark.parametrize("language", Language)
def test_without_a_prompt_a_flow_sends_that_of_its_language(endpoint: WebhookEndpoint, language: Language) -> None:
    spec = FlowSpec(Mode.SYNC, "Ask", "ask", endpoint, "gpt-4o-mini", language=language)
    assert sent_prompt(spec) == default_prompt(language)
    assert sent_prompt(replace(spec, uses_documents=True)) == default_prompt(language, uses_documents=True)
    assert sent_prompt(replace(spec, prompt="Be brief.", uses_documents=True)) == "Be brief."


@pytest.mark.parametrize("prompt", ["x" * 20_001, "Greet @contact.nameजी first."], ids=["too long", "joined"])
def test_a_prompt_that_cannot_be_sent_is_refused(endpoint: WebhookEndpoint, prompt: str) -> None:
    with pytest.raises(InvalidValue, match=r"at most 20000|does not fill @contact.name "):
        build_flow(FlowSpec(Mode.SYNC, "Ask", "ask", endpoint, "gpt-4o-mini", prompt))
