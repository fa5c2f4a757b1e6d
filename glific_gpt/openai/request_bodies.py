"""Request bodies for OpenAI's two endpoints: Chat Completions, and Responses for models that only it serves."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from glific_gpt.openai.chat import Question, Turn
from glific_gpt.openai.traits import accepts_reasoning_effort, accepts_temperature, accepts_verbosity

CHAT_PATH = "/chat/completions"
RESPONSES_PATH = "/responses"

TOKEN_LIMITS = {"max_completion_tokens", "max_tokens", "max_output_tokens"}
"""Names of the limit for the length of an answer."""

REASONING_EFFORT, VERBOSITY = "reasoning_effort", "verbosity"
TOOLS, MAX_TOOL_CALLS = "tools", "max_tool_calls"

DEFAULT_TEMPERATURE = 0.0
"""Glific's own function uses 0 if the flow sets nothing, and NGOs expect the same answers here."""

# OpenAI refuses a json_object if the request does not contain the word JSON. Authors of flows cannot know that.
JSON_INSTRUCTION = "Answer with a JSON object."

PICTURE_DETAIL = "high"
"""As in Glific's own function. It limits the tokens of a picture: newer models read the original size by default.

Source: https://developers.openai.com/api/docs/guides/images-vision
"""

OVERHEAD_TOKENS = 64
"""More than OpenAI adds: about four tokens for each message, and JSON_INSTRUCTION."""

MAX_FILE_SEARCHES = 1
"""Searches of one answer. Each is charged, and takes a second or more of the time that a call has."""
MAX_SEARCH_RESULTS = 8
"""Passages that a search adds to the input. OpenAI's own default is 20, with 800 tokens each."""
MAX_PASSAGE_TOKENS = 4096
"""Longest passage into which OpenAI splits a document (chunking_strategy.static.max_chunk_size_tokens)."""
SEARCH_TOOL_TOKENS = 4096
"""More than OpenAI's description of the search to the model."""
TURN_TOKENS = 16
"""More than OpenAI adds for the two messages of an earlier turn."""

JsonObject = dict[str, Any]


def max_input_tokens(question: Question) -> int:
    """Return an upper bound of the tokens that OpenAI counts for a question.

    OpenAI's tokenizers split UTF-8 bytes, and no token is shorter than a byte. A schema is part of the input.
    """
    schema = json.dumps(question.response_format, ensure_ascii=False) if question.response_format else ""
    texts = (question.text, question.instructions or "", schema)
    tokens = sum(map(_bytes, texts)) + max_history_tokens(question.history) + OVERHEAD_TOKENS
    return add_file_searches(tokens, max_file_searches(question))


def max_history_tokens(history: Sequence[Turn]) -> int:
    """Return an upper bound of the tokens that earlier turns add to a question."""
    return sum(_bytes(turn.question) + _bytes(turn.answer) + TURN_TOKENS for turn in history)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def max_file_searches(question: Question) -> int:
    """Return an upper bound of the searches in vector stores that OpenAI charges for a question."""
    return MAX_FILE_SEARCHES if question.vector_store_ids else 0


def add_file_searches(input_tokens: int, searches: int) -> int:
    """Return an upper bound of the input with this many searches: the model reads everything again after each one."""
    passages = MAX_SEARCH_RESULTS * MAX_PASSAGE_TOKENS
    return (1 + searches) * input_tokens + searches * (2 * SEARCH_TOOL_TOKENS + searches * passages)


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
    found = ({"temperature", REASONING_EFFORT, VERBOSITY, MAX_TOOL_CALLS} | TOKEN_LIMITS) & body.keys()
    if "reasoning" in body:
        found.add(REASONING_EFFORT)
    if VERBOSITY in body.get("text", {}):
        found.add(VERBOSITY)
    return found


def _chat_body(model: str, question: Question) -> JsonObject:
    messages = [*_history_messages(question), {"role": "user", "content": _chat_content(question)}]
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


def _chat_content(question: Question) -> str | list[JsonObject]:
    """Return the content of the user's message: its text, or its parts if there is a picture."""
    if question.picture_url is None:
        return question.text
    picture = {"url": question.picture_url, "detail": PICTURE_DETAIL}
    return [{"type": "text", "text": question.text}, {"type": "image_url", "image_url": picture}]


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
        **_file_search(question.vector_store_ids),
    }


def _file_search(vector_store_ids: tuple[str, ...]) -> JsonObject:
    """Return the options of the search in documents, in which `tool_choice` is automatic.

    Source: https://developers.openai.com/api/docs/guides/tools-file-search
    """
    if not vector_store_ids:
        return {}
    tool = {
        "type": "file_search",
        "vector_store_ids": list(vector_store_ids),
        "max_num_results": MAX_SEARCH_RESULTS,
    }
    return {TOOLS: [tool], MAX_TOOL_CALLS: MAX_FILE_SEARCHES}


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


def _responses_input(question: Question) -> str | list[JsonObject]:
    """Return the input: its text, or messages if there are earlier turns or a picture."""
    text = _responses_text(question)
    content: str | list[JsonObject] = text
    if question.picture_url is not None:
        picture = {"type": "input_image", "image_url": question.picture_url, "detail": PICTURE_DETAIL}
        content = [{"type": "input_text", "text": text}, picture]
    elif not question.history:
        return text
    return [*_history_messages(question), {"role": "user", "content": content}]


def _responses_text(question: Question) -> str:
    """Return the text of the input. The Responses API looks for the word JSON in the input alone."""
    if not _wants_json_object(question) or "json" in question.text.lower():
        return question.text
    return f"{question.text}\n\n{JSON_INSTRUCTION}"


def _history_messages(question: Question) -> list[JsonObject]:
    """Return the earlier turns as messages, which have the same form in both APIs."""
    return [
        {"role": role, "content": text}
        for turn in question.history
        for role, text in (("user", turn.question), ("assistant", turn.answer))
    ]


def _wants_json_object(question: Question) -> bool:
    return question.response_format is not None and question.response_format["type"] == "json_object"
