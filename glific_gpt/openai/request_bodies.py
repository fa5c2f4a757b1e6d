"""Request bodies for OpenAI's two endpoints: Chat Completions, and Responses for models that only it serves."""

from typing import Any

from glific_gpt.openai.chat import Question
from glific_gpt.openai.traits import accepts_temperature

CHAT_PATH = "/chat/completions"
RESPONSES_PATH = "/responses"

DEFAULT_TEMPERATURE = 0.0
"""Glific's own function uses 0 if the flow sets nothing, and NGOs expect the same answers here."""

# OpenAI refuses a json_object if the request does not contain the word JSON. Authors of flows cannot know that.
JSON_INSTRUCTION = "Answer with a JSON object."

JsonObject = dict[str, Any]


def build_request_body(path: str, model: str, question: Question, unsupported: frozenset[str]) -> JsonObject:
    """Return the body for this path, without the `unsupported` parameters."""
    body = _chat_body(model, question) if path == CHAT_PATH else _responses_body(model, question)
    if accepts_temperature(model):
        body["temperature"] = DEFAULT_TEMPERATURE if question.temperature is None else question.temperature
    return {name: value for name, value in body.items() if name not in unsupported and value is not None}


def _chat_body(model: str, question: Question) -> JsonObject:
    messages = [{"role": "user", "content": question.text}]
    if instructions := _chat_instructions(question):
        messages.insert(0, {"role": "system", "content": instructions})
    return {
        "model": model,
        "messages": messages,
        "max_completion_tokens": question.max_tokens,
        "response_format": question.response_format,
    }


def _responses_body(model: str, question: Question) -> JsonObject:
    return {
        "model": model,
        "input": _responses_input(question),
        "instructions": question.instructions,
        "max_output_tokens": question.max_tokens,
        "text": _text_format(question.response_format),
        "store": False,  # OpenAI would otherwise keep question and answer for 30 days
    }


def _text_format(response_format: dict[str, Any] | None) -> JsonObject | None:
    """Convert to the Responses API's form, in which the schema's fields are beside its type."""
    if response_format is None:
        return None
    return {"format": {**response_format.get("json_schema", {}), "type": response_format["type"]}}


def _chat_instructions(question: Question) -> str | None:
    """Return the system message. Chat Completions accepts the word JSON in any message."""
    instructions = question.instructions or ""
    if not _wants_json_object(question) or "json" in f"{instructions} {question.text}".lower():
        return question.instructions
    return f"{instructions}\n\n{JSON_INSTRUCTION}".strip()


def _responses_input(question: Question) -> str:
    """Return the input. The Responses API looks for the word JSON in the input alone."""
    if not _wants_json_object(question) or "json" in question.text.lower():
        return question.text
    return f"{question.text}\n\n{JSON_INSTRUCTION}"


def _wants_json_object(question: Question) -> bool:
    return question.response_format is not None and question.response_format["type"] == "json_object"
