"""OpenAI's replies, checked for their shape before anything in them is believed."""

from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from glific_gpt.errors import BadUpstreamReply, EmptyAnswer, Refused
from glific_gpt.openai.chat import Answer, Usage
from glific_gpt.openai.requests import CHAT

# Both are kept in columns: what does not fit there is no reply of OpenAI's.
_Tokens = Annotated[int, Field(ge=0, lt=2**31)]
_ModelId = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _ChatUsage(BaseModel):
    prompt_tokens: _Tokens = 0
    completion_tokens: _Tokens = 0


class _ChatReply(BaseModel):
    model: _ModelId = ""
    choices: list[_Choice]
    usage: _ChatUsage | None = None


class _Part(BaseModel):
    type: str
    text: str = ""
    refusal: str = ""


class _Item(BaseModel):
    type: str
    content: list[_Part] | None = None


class _Incomplete(BaseModel):
    reason: str | None = None


class _ResponsesUsage(BaseModel):
    input_tokens: _Tokens = 0
    output_tokens: _Tokens = 0


class _ResponsesReply(BaseModel):
    model: _ModelId = ""
    status: str | None = None
    output: list[_Item]
    usage: _ResponsesUsage | None = None
    incomplete_details: _Incomplete | None = None


def read(path: str, content: bytes, asked: str, usage: Usage) -> Answer:
    """The answer in a reply of status 200; the tokens are added to `usage` whatever else is wrong.

    Raises BadUpstreamReply, Refused, EmptyAnswer.
    """
    try:
        return _read_chat(content, asked, usage) if path == CHAT else _read_responses(content, asked, usage)
    except ValidationError:
        raise BadUpstreamReply from None


def _read_chat(content: bytes, asked: str, usage: Usage) -> Answer:
    reply = _ChatReply.model_validate_json(content)
    if reply.usage:
        _count(usage, reply.model or asked, reply.usage.prompt_tokens, reply.usage.completion_tokens)
    if not reply.choices:
        raise BadUpstreamReply
    choice = reply.choices[0]
    if choice.message.refusal or choice.finish_reason == "content_filter":
        raise Refused
    return _answer(choice.message.content or "", reply.model or asked, cut_off=choice.finish_reason == "length")


def _read_responses(content: bytes, asked: str, usage: Usage) -> Answer:
    reply = _ResponsesReply.model_validate_json(content)
    if reply.usage:
        _count(usage, reply.model or asked, reply.usage.input_tokens, reply.usage.output_tokens)
    if reply.status == "failed":
        raise BadUpstreamReply
    parts = [part for item in reply.output if item.type == "message" for part in item.content or []]
    reason = reply.incomplete_details.reason if reply.incomplete_details else None
    if reason == "content_filter" or any(part.type == "refusal" for part in parts):
        raise Refused
    text = "".join(part.text for part in parts if part.type == "output_text")
    return _answer(text, reply.model or asked, cut_off=reason == "max_output_tokens")


def _answer(text: str, model: str, *, cut_off: bool) -> Answer:
    if not text.strip():
        raise EmptyAnswer
    return Answer(text, model, cut_off)


def _count(usage: Usage, model: str, input_tokens: int, output_tokens: int) -> None:
    usage.model = model
    usage.input_tokens += input_tokens
    usage.output_tokens += output_tokens


def model_ids(content: bytes) -> list[str]:
    """The ids in the reply of GET /models, sorted. Raises BadUpstreamReply."""
    try:
        return sorted({model.id for model in _Listing.model_validate_json(content).data})
    except ValidationError:
        raise BadUpstreamReply from None


class _Model(BaseModel):
    id: _ModelId


class _Listing(BaseModel):
    data: list[_Model] = Field(max_length=10_000)
