"""The two bodies that OpenAI takes: chat completions, and the Responses API for models that only that serves."""

from typing import Any

from glific_gpt.openai.chat import Question
from glific_gpt.openai.traits import takes_temperature

CHAT = "/chat/completions"
RESPONSES = "/responses"

DEFAULT_TEMPERATURE = 0.0
"""Glific's own function asks with 0 where the flow says nothing, and NGOs expect the same answers here."""

Body = dict[str, Any]


def build(path: str, model: str, question: Question, dropped: frozenset[str]) -> Body:
    """The body for this path, without the parameters that the model has refused before."""
    body = _chat(model, question) if path == CHAT else _responses(model, question)
    if takes_temperature(model):
        body["temperature"] = DEFAULT_TEMPERATURE if question.temperature is None else question.temperature
    return {name: value for name, value in body.items() if name not in dropped and value is not None}


def _chat(model: str, question: Question) -> Body:
    messages = [{"role": "user", "content": question.text}]
    if instructions := _instructions(question):
        messages.insert(0, {"role": "system", "content": instructions})
    return {
        "model": model,
        "messages": messages,
        "max_completion_tokens": question.max_tokens,
        "response_format": question.response_format,
    }


def _responses(model: str, question: Question) -> Body:
    return {
        "model": model,
        "input": _text(question),
        "instructions": question.instructions,
        "max_output_tokens": question.max_tokens,
        "text": _text_format(question.response_format),
        "store": False,  # OpenAI would keep question and answer for 30 days otherwise
    }


def _text_format(response_format: dict[str, Any] | None) -> Body | None:
    """The Responses API has the schema's fields beside its type."""
    if response_format is None:
        return None
    return {"format": {**response_format.get("json_schema", {}), "type": response_format["type"]}}


# OpenAI refuses a json_object where nobody says the word JSON, which authors of flows cannot know.
ASK_FOR_JSON = "Answer with a JSON object."


def _instructions(question: Question) -> str | None:
    """For chat completions, where the word may stand in any message."""
    instructions = question.instructions or ""
    if not _wants_json_object(question) or "json" in f"{instructions} {question.text}".lower():
        return question.instructions
    return f"{instructions}\n\n{ASK_FOR_JSON}".strip()


def _text(question: Question) -> str:
    """For the Responses API, which looks for the word in the input alone."""
    if not _wants_json_object(question) or "json" in question.text.lower():
        return question.text
    return f"{question.text}\n\n{ASK_FOR_JSON}"


def _wants_json_object(question: Question) -> bool:
    return question.response_format is not None and question.response_format["type"] == "json_object"
