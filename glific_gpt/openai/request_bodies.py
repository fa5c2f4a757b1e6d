"""Request bodies for OpenAI's two endpoints: Chat Completions, and Responses for models that only it serves."""

import json
from dataclasses import replace
from typing import Any

from glific_gpt.openai.chat import Question
from glific_gpt.openai.traits import accepts_reasoning_effort, accepts_temperature, accepts_verbosity

CHAT_PATH = "/chat/completions"
RESPONSES_PATH = "/responses"

TOKEN_LIMITS = {"max_completion_tokens", "max_tokens", "max_output_tokens"}
"""Names of the limit for the length of an answer."""

REASONING_EFFORT, VERBOSITY = "reasoning_effort", "verbosity"

DEFAULT_TEMPERATURE = 0.0
"""Glific's own function uses 0 if the flow sets nothing, and NGOs expect the same answers here."""

# OpenAI refuses a json_object if the request does not contain the word JSON. Authors of flows cannot know that.
JSON_INSTRUCTION = "Answer with a JSON object."

OVERHEAD_TOKENS = 64
"""More than OpenAI adds: about four tokens for each message, and JSON_INSTRUCTION."""

JsonObject = dict[str, Any]


def max_input_tokens(question: Question) -> int:
    """Return an upper bound of the tokens that OpenAI counts for a question.

    OpenAI's tokenizers split UTF-8 bytes, and no token is shorter than a byte. A schema is part of the input.
    """
    schema = json.dumps(question.response_format, ensure_ascii=False) if question.response_format else ""
    texts = (question.text, question.instructions or "", schema)
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) + OVERHEAD_TOKENS


def build_request_body(path: str, model: str, question: Question, omitted: frozenset[str]) -> JsonObject:
    """Return the body for this path, without the options in `omitted`: their names are those of `sent_options`."""
    effort = question.reasoning_effort if accepts_reasoning_effort(model) else None
    verbosity = question.verbosity if accepts_verbosity(model) else None
    asked = replace(
        question,
        reasoning_effort=None if REASONING_EFFORT in omitted else effort,
        verbosity=None if VERBOSITY in omitted else verbosity,
    )
    body = _chat_body(model, asked) if path == CHAT_PATH else _responses_body(model, asked)
    if "max_completion_tokens" in omitted:  # servers that imitate an older API know only this name
        body["max_tokens"] = question.max_tokens
    if accepts_temperature(model):
        body["temperature"] = DEFAULT_TEMPERATURE if question.temperature is None else question.temperature
    return {name: value for name, value in body.items() if name not in omitted and value is not None}


def sent_options(body: JsonObject) -> set[str]:
    """Return the options in a body that can be left out without changing the question.

    The names are those of Chat Completions. The Responses API has `reasoning.effort` and `text.verbosity`.
    """
    found = ({"temperature", REASONING_EFFORT, VERBOSITY} | TOKEN_LIMITS) & body.keys()
    if "reasoning" in body:
        found.add(REASONING_EFFORT)
    if VERBOSITY in body.get("text", {}):
        found.add(VERBOSITY)
    return found


def _chat_body(model: str, question: Question) -> JsonObject:
    messages = [{"role": "user", "content": question.text}]
    if instructions := _chat_instructions(question):
        messages.insert(0, {"role": "system", "content": instructions})
    return {
        "model": model,
        "messages": messages,
        "max_completion_tokens": question.max_tokens,
        "response_format": question.response_format,
        REASONING_EFFORT: question.reasoning_effort,
        VERBOSITY: question.verbosity,
    }


def _responses_body(model: str, question: Question) -> JsonObject:
    text = _text_format(question.response_format) | ({VERBOSITY: question.verbosity} if question.verbosity else {})
    return {
        "model": model,
        "input": _responses_input(question),
        "instructions": question.instructions,
        "max_output_tokens": question.max_tokens,
        "text": text or None,
        "reasoning": {"effort": question.reasoning_effort} if question.reasoning_effort else None,
        "store": False,  # OpenAI would otherwise keep question and answer for 30 days
    }


def _text_format(response_format: dict[str, Any] | None) -> JsonObject:
    """Convert to the Responses API's form, in which the schema's fields are beside its type."""
    if response_format is None:
        return {}
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
