"""Parsing of OpenAI's response bodies. Their shape is validated before any value is used."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError

from glific_gpt.errors import BadUpstreamReply, EmptyAnswer, ModelRefused
from glific_gpt.openai.chat import Answer, Tokens, Usage
from glific_gpt.openai.refusals import ApiRefusal, RequestRefused
from glific_gpt.openai.request_bodies import CHAT_PATH
from glific_gpt.openai.response_schemas import (
    ChatBody,
    ChatChoice,
    ChatMessage,
    ModelList,
    OutputItem,
    Part,
    ResponsesBody,
    TokenCounts,
)

Body = TypeVar("Body", ChatBody, ResponsesBody)

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
COMMENTARY, FINAL_ANSWER = "commentary", "final_answer"
"""Phases of messages: remarks of a model while it works, and its answer."""
_CUT_OFF = {"length", "max_tokens", "model_length"}
_FILTERED = {"content_filter", "safety"}
_UNFINISHED = {"cancelled", "queued", "in_progress"}
FILE_SEARCH_CALL = "file_search_call"
"""Type of the item of a search, of which OpenAI charges each one."""
MAX_SOURCES = 20
_TEXT_PARTS = {"text", "output_text", None}


def parse_answer(path: str, content: bytes, requested_model: str, usage: Usage) -> Answer:
    """Return the answer in a reply of status 200 and add its tokens to `usage`, even if an error is raised.

    Raises RequestRefused if the reply has an error, and BadUpstreamReply, ModelRefused and EmptyAnswer.
    """
    try:
        if path == CHAT_PATH:
            return _parse_chat(content.removeprefix(BYTE_ORDER_MARK), requested_model, usage)
        return _parse_responses(content.removeprefix(BYTE_ORDER_MARK), requested_model, usage)
    except ValidationError:
        raise BadUpstreamReply from None


def parse_model_ids(content: bytes) -> list[str]:
    """Return the sorted ids in the reply to GET /models. Raises BadUpstreamReply."""
    try:
        found = ModelList.model_validate_json(content.removeprefix(BYTE_ORDER_MARK))
    except ValidationError:
        raise BadUpstreamReply from None
    return sorted({model.id for model in found.data if model.id})


def _read(schema: type[Body], content: bytes) -> Body:
    """Return the validated body. Raises ValidationError and BadUpstreamReply."""
    try:
        return schema.model_validate_json(content)
    except ValidationError:
        # pydantic's parser refuses half a surrogate pair, which a model can write. Python's parser accepts it.
        if b"\\ud" not in content.lower():
            raise
    try:
        # As text: from bytes, Python would also read UTF-16, in which `json_size.py` cannot count.
        return schema.model_validate(json.loads(content.decode("utf-8", "surrogatepass")))
    except (ValueError, RecursionError):
        raise BadUpstreamReply from None


def _parse_chat(content: bytes, requested_model: str, usage: Usage) -> Answer:
    body = _read(ChatBody, content)
    model = body.model or requested_model
    choice = body.choices[0] if body.choices else ChatChoice()
    if error := body.error or choice.error:
        _fail(error, body.usage, model, usage)
    if not body.choices:
        raise BadUpstreamReply
    # Tokens are counted before any error is raised, because OpenAI charges for refused and empty answers too.
    _count(body.usage, model, usage)
    reason = (choice.finish_reason or "").lower()
    message = choice.message or ChatMessage()
    if message.refusal or reason in _FILTERED or _has_refusal(message.content):
        raise ModelRefused
    if choice.message is None:
        raise BadUpstreamReply
    return _to_answer(_join(message.content), model, usage, cut_off=reason in _CUT_OFF)


def _parse_responses(content: bytes, requested_model: str, usage: Usage) -> Answer:
    body = _read(ResponsesBody, content)
    model = body.model or requested_model
    if body.status == "failed" or (body.error and not body.output):
        _fail(body.error or {}, body.usage, model, usage)
    if body.output is None:
        raise BadUpstreamReply
    _count(body.usage, model, usage)
    usage.tokens = usage.tokens.plus(Tokens(file_searches=sum(item.type == FILE_SEARCH_CALL for item in body.output)))
    if body.status in _UNFINISHED:
        raise BadUpstreamReply
    # Items of other types are the model's reasoning and its calls of tools.
    messages = _final_messages([item for item in body.output if item.type == "message"])
    reason = body.incomplete_details.reason if body.incomplete_details else None
    if reason in _FILTERED or any(_has_refusal(message.content or []) for message in messages):
        raise ModelRefused
    text = "\n\n".join(filter(str.strip, (_join(message.content or []) for message in messages)))
    answer = _to_answer(text, model, usage, cut_off=body.status == "incomplete" or reason is not None)
    sources = _sources(messages)
    return replace(answer, sources=sources) if sources else answer


def _sources(messages: Iterable[OutputItem]) -> tuple[str, ...]:
    """Return the names of the files that the messages cite, each once, in the order of the citations."""
    parts = (part for message in messages for part in message.content or [])
    names = (citation.filename.strip() for part in parts for citation in part.annotations)
    return tuple(islice(dict.fromkeys(filter(None, names)), MAX_SOURCES))


def _final_messages(messages: list[OutputItem]) -> list[OutputItem]:
    """Return the messages that are the answer. Models that comment on their work give their messages a phase."""
    final = [message for message in messages if message.phase == FINAL_ANSWER]
    return final or [message for message in messages if message.phase != COMMENTARY]


def _has_refusal(parts: Iterable[Part]) -> bool:
    return any(part.type == "refusal" or part.refusal for part in parts)


def _join(parts: Iterable[Part]) -> str:
    return "".join(part.text or "" for part in parts if part.type in _TEXT_PARTS)


def _fail(error: Mapping[str, Any], counts: TokenCounts | None, model: str, usage: Usage) -> NoReturn:
    """Raise RequestRefused for the error in a reply of status 200."""
    before = usage.tokens
    if counts:
        counts.add_to(usage)
        usage.model = model
    code = error.get("code")
    # Servers that imitate the API send the status as the code.
    status = code if isinstance(code, int) and 400 <= code < 600 else 200
    raise RequestRefused(ApiRefusal.from_error(status, error), is_paid=usage.tokens != before)


def _count(counts: TokenCounts | None, model: str, usage: Usage) -> None:
    usage.model = model
    if counts:
        counts.add_to(usage)
    else:
        usage.is_incomplete = True


def _to_answer(text: str, model: str, usage: Usage, *, cut_off: bool) -> Answer:
    if not text.strip():
        raise EmptyAnswer
    usage.cut_off = cut_off
    return Answer(text, model, cut_off)
