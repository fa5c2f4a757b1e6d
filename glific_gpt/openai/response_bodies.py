"""Parsing of OpenAI's response bodies. Their shape is validated before any value is used."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from glific_gpt.errors import BadUpstreamReply, EmptyAnswer, ModelRefused
from glific_gpt.openai.chat import Answer, Usage
from glific_gpt.openai.request_bodies import CHAT_PATH
from glific_gpt.settings import MODEL_NAME

# Both are stored in database columns, so a value that does not fit there is treated as an unreadable reply.
_TokenCount = Annotated[int, Field(ge=0, lt=2**31)]


def _valid_id_or_empty(model: str) -> str:
    """Return the id of a model, or "" if it is not one. It becomes a part of answers, rows, pages and logs."""
    return model if _MODEL_ID.fullmatch(model) else ""


_MODEL_ID = re.compile(MODEL_NAME)
_ModelId = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$"), AfterValidator(_valid_id_or_empty)]


class _ChatMessage(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _ChatChoice(BaseModel):
    message: _ChatMessage
    finish_reason: str | None = None


class _ChatUsage(BaseModel):
    prompt_tokens: _TokenCount = 0
    completion_tokens: _TokenCount = 0


class _ChatBody(BaseModel):
    model: _ModelId = ""
    choices: list[_ChatChoice]
    usage: _ChatUsage | None = None


class _OutputPart(BaseModel):
    type: str
    text: str = ""
    refusal: str = ""


class _OutputItem(BaseModel):
    type: str
    content: list[_OutputPart] | None = None


class _IncompleteDetails(BaseModel):
    reason: str | None = None


class _ResponsesUsage(BaseModel):
    input_tokens: _TokenCount = 0
    output_tokens: _TokenCount = 0


class _ResponsesBody(BaseModel):
    model: _ModelId = ""
    status: str | None = None
    output: list[_OutputItem]
    usage: _ResponsesUsage | None = None
    incomplete_details: _IncompleteDetails | None = None


class _Model(BaseModel):
    id: _ModelId


class _ModelList(BaseModel):
    data: list[_Model] = Field(max_length=10_000)


def parse_answer(path: str, content: bytes, requested_model: str, usage: Usage) -> Answer:
    """Return the answer in a reply of status 200 and add its tokens to `usage`, even if an error is raised.

    Raises BadUpstreamReply, ModelRefused and EmptyAnswer.
    """
    try:
        if path == CHAT_PATH:
            return _parse_chat(content, requested_model, usage)
        return _parse_responses(content, requested_model, usage)
    except ValidationError:
        raise BadUpstreamReply from None


def parse_model_ids(content: bytes) -> list[str]:
    """Return the sorted ids in the reply to GET /models. Raises BadUpstreamReply."""
    try:
        return sorted({model.id for model in _ModelList.model_validate_json(content).data if model.id})
    except ValidationError:
        raise BadUpstreamReply from None


def _parse_chat(content: bytes, requested_model: str, usage: Usage) -> Answer:
    body = _ChatBody.model_validate_json(content)
    model = body.model or requested_model
    # Tokens are counted before any error is raised, because OpenAI charges for refused and empty answers too.
    if body.usage:
        _add_usage(usage, model, body.usage.prompt_tokens, body.usage.completion_tokens)
    if not body.choices:
        raise BadUpstreamReply
    choice = body.choices[0]
    if choice.message.refusal or choice.finish_reason == "content_filter":
        raise ModelRefused
    return _to_answer(choice.message.content or "", model, cut_off=choice.finish_reason == "length")


def _parse_responses(content: bytes, requested_model: str, usage: Usage) -> Answer:
    body = _ResponsesBody.model_validate_json(content)
    model = body.model or requested_model
    if body.usage:
        _add_usage(usage, model, body.usage.input_tokens, body.usage.output_tokens)
    if body.status == "failed":
        raise BadUpstreamReply
    # Items of other types are the model's reasoning and its calls of tools.
    parts = [part for item in body.output if item.type == "message" for part in item.content or []]
    reason = body.incomplete_details.reason if body.incomplete_details else None
    if reason == "content_filter" or any(part.type == "refusal" for part in parts):
        raise ModelRefused
    text = "".join(part.text for part in parts if part.type == "output_text")
    return _to_answer(text, model, cut_off=reason == "max_output_tokens")


def _to_answer(text: str, model: str, *, cut_off: bool) -> Answer:
    if not text.strip():
        raise EmptyAnswer
    return Answer(text, model, cut_off)


def _add_usage(usage: Usage, model: str, input_tokens: int, output_tokens: int) -> None:
    usage.model = model
    usage.input_tokens += input_tokens
    usage.output_tokens += output_tokens
