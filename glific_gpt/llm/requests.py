"""The two bodies that OpenAI takes: chat completions, and the Responses API for models that only that serves."""

from typing import Any

from glific_gpt.llm.chat import Question
from glific_gpt.llm.traits import takes_temperature

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
        "input": question.text,
        "instructions": _instructions(question),
        "max_output_tokens": question.max_tokens,
        "text": _text_format(question.response_format),
        "store": False,  # OpenAI would keep question and answer for 30 days otherwise
    }


def _text_format(response_format: dict[str, Any] | None) -> Body | None:
    """The Responses API has the schema's fields beside its type."""
    if response_format is None:
        return None
    return {"format": {**response_format.get("json_schema", {}), "type": response_format["type"]}}


def _instructions(question: Question) -> str | None:
    """OpenAI refuses a json_object without the word JSON in what is said, which flow authors cannot know."""
    if (question.response_format or {}).get("type") != "json_object":
        return question.instructions
    said = f"{question.instructions or ''} {question.text}"
    if "json" in said.lower():
        return question.instructions
    return f"{question.instructions or ''}\n\nAnswer with a JSON object.".strip()
