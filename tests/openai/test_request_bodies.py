"""Request bodies: the word JSON, without which OpenAI refuses a JSON object, and the search in documents."""

from typing import Any

import pytest

from glific_gpt.openai.chat import Question, Turn
from glific_gpt.openai.request_bodies import (
    CHAT_PATH,
    RESPONSES_PATH,
    build_request_body,
    max_history_tokens,
    max_input_tokens,
)

JSON_OBJECT = {"type": "json_object"}


def body(path: str, text: str, prompt: str | None, response_format: dict[str, Any] | None = JSON_OBJECT) -> Any:
    question = Question(text, instructions=prompt, response_format=response_format)
    return build_request_body(path, "gpt-5-pro" if path == RESPONSES_PATH else "gpt-4o", question, frozenset())


@pytest.mark.parametrize("prompt", [None, "Answer briefly.", "Answer in JSON."])
def test_the_input_of_the_responses_api_contains_the_word_json(prompt: str | None) -> None:
    sent = body(RESPONSES_PATH, "Which crop?", prompt)
    assert sent["input"].startswith("Which crop?")
    assert "JSON" in sent["input"]
    assert sent.get("instructions") == prompt


@pytest.mark.parametrize("prompt", [None, "Answer briefly.", "Answer in JSON."])
def test_a_chat_message_contains_the_word_json(prompt: str | None) -> None:
    system, user = body(CHAT_PATH, "Which crop?", prompt)["messages"]
    assert user["content"] == "Which crop?"
    assert system["content"].startswith(prompt or "Answer")
    assert system["content"].count("JSON") == 1


@pytest.mark.parametrize("response_format", [None, {"type": "text"}, {"type": "json_schema", "json_schema": {}}])
def test_nothing_is_added_without_a_json_object_format(response_format: dict[str, Any] | None) -> None:
    assert body(RESPONSES_PATH, "Which crop?", None, response_format)["input"] == "Which crop?"
    assert body(CHAT_PATH, "Which crop?", None, response_format)["messages"] == [
        {"role": "user", "content": "Which crop?"}
    ]


def test_nothing_is_added_to_a_question_with_the_word_json() -> None:
    assert body(RESPONSES_PATH, "A json of crops?", None)["input"] == "A json of crops?"
    assert len(body(CHAT_PATH, "A json of crops?", None)["messages"]) == 1


def test_a_question_to_documents_searches_their_stores_once() -> None:
    question = Question("Who may apply?", "Answer briefly.", vector_store_ids=("vs_1", "vs_2"))
    sent = build_request_body(RESPONSES_PATH, "gpt-4o", question, frozenset())
    [tool] = sent["tools"]
    assert (tool["type"], tool["vector_store_ids"]) == ("file_search", ["vs_1", "vs_2"])
    assert sent["max_tool_calls"] == 1
    assert sent["store"] is False
    assert "tools" not in build_request_body(RESPONSES_PATH, "gpt-4o", Question("Who may apply?"), frozenset())


def test_the_bound_of_the_input_holds_two_readings_and_the_longest_passages() -> None:
    plain = max_input_tokens(Question("x" * 1000))
    searched = max_input_tokens(Question("x" * 1000, vector_store_ids=("vs_1",)))
    assert searched >= 2 * plain + 8 * 4096


def test_the_upper_bound_of_the_input_counts_earlier_turns() -> None:
    turn = Turn("ओआरएस?", "Sugar and salt.")
    added = max_input_tokens(Question("How?", history=(turn,))) - max_input_tokens(Question("How?"))
    assert added == max_history_tokens([turn]) > len("ओआरएस?Sugar and salt.".encode())
