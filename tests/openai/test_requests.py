"""The bodies for OpenAI: what must be said for a JSON object to be answered."""

from typing import Any

import pytest

from glific_gpt.openai.chat import Question
from glific_gpt.openai.requests import CHAT, RESPONSES, build

JSON_OBJECT = {"type": "json_object"}


def body(path: str, text: str, prompt: str | None, response_format: dict[str, Any] | None = JSON_OBJECT) -> Any:
    question = Question(text, instructions=prompt, response_format=response_format)
    return build(path, "gpt-5-pro" if path == RESPONSES else "gpt-4o", question, frozenset())


@pytest.mark.parametrize("prompt", [None, "Answer briefly.", "Answer in JSON."])
def test_the_responses_api_finds_the_word_json_in_the_input(prompt: str | None) -> None:
    sent = body(RESPONSES, "Which crop?", prompt)
    assert sent["input"].startswith("Which crop?")
    assert "JSON" in sent["input"]
    assert sent.get("instructions") == prompt


@pytest.mark.parametrize("prompt", [None, "Answer briefly.", "Answer in JSON."])
def test_chat_finds_the_word_json_in_a_message(prompt: str | None) -> None:
    system, user = body(CHAT, "Which crop?", prompt)["messages"]
    assert user["content"] == "Which crop?"
    assert system["content"].startswith(prompt or "Answer")
    assert system["content"].count("JSON") == 1


@pytest.mark.parametrize("response_format", [None, {"type": "text"}, {"type": "json_schema", "json_schema": {}}])
def test_nothing_is_added_where_no_json_object_is_wanted(response_format: dict[str, Any] | None) -> None:
    assert body(RESPONSES, "Which crop?", None, response_format)["input"] == "Which crop?"
    assert body(CHAT, "Which crop?", None, response_format)["messages"] == [{"role": "user", "content": "Which crop?"}]


def test_nothing_is_added_to_a_question_that_says_json_itself() -> None:
    assert body(RESPONSES, "A json of crops?", None)["input"] == "A json of crops?"
    assert len(body(CHAT, "A json of crops?", None)["messages"]) == 1
