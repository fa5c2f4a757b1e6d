"""Parsing of OpenAI's response bodies. Their shape is validated before any value is used."""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, NoReturn

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, Field, ValidationError

from glific_gpt.errors import BadUpstreamReply, EmptyAnswer, ModelRefused
from glific_gpt.openai.chat import Answer, Tokens, Usage
from glific_gpt.openai.refusals import ApiRefusal, RequestRefused
from glific_gpt.openai.request_bodies import CHAT_PATH
from glific_gpt.settings import MODEL_NAME

MAX_TOKENS = 2**31
"""Limit of the columns that store numbers of tokens."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
COMMENTARY, FINAL_ANSWER = "commentary", "final_answer"
"""Phases of messages: remarks of a model while it works, and its answer."""
_CUT_OFF = {"length", "max_tokens", "model_length"}
_FILTERED = {"content_filter", "safety"}
_UNFINISHED = {"cancelled", "queued", "in_progress"}
_TEXT_PARTS = {"text", "output_text", None}


def _valid_id_or_empty(model: str) -> str:
    """Return the id of a model, or "" if it is not one. It becomes a part of answers, rows, pages and logs."""
    return model if _MODEL_ID.fullmatch(model) else ""


_MODEL_ID = re.compile(MODEL_NAME)
_ModelId = Annotated[
    str,
    Field(max_length=200, pattern=r"^[^\x00]*$"),
    AfterValidator(_valid_id_or_empty),
    BeforeValidator(lambda value: "" if value is None else value),
]


def _count_or_none(value: object) -> int | None:
    """Return a number of tokens that a column can hold; None for anything else, which is an unknown number."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MAX_TOKENS
    return value if is_count else None  # type: ignore[return-value]


def _object_or_none(value: object) -> object:
    return value if isinstance(value, dict) else None


_Count = Annotated[int | None, BeforeValidator(_count_or_none)]


class _InputDetails(BaseModel):
    cached_tokens: _Count = None
    cache_write_tokens: _Count = None


class _OutputDetails(BaseModel):
    reasoning_tokens: _Count = None


class _Usage(BaseModel):
    """Numbers of tokens, with the names of either endpoint. Each of them can be null or missing."""

    input_tokens: Annotated[_Count, Field(validation_alias=AliasChoices("input_tokens", "prompt_tokens"))] = None
    output_tokens: Annotated[_Count, Field(validation_alias=AliasChoices("output_tokens", "completion_tokens"))] = None
    total_tokens: _Count = None
    input_details: Annotated[
        _InputDetails | None,
        BeforeValidator(_object_or_none),
        Field(validation_alias=AliasChoices("input_tokens_details", "prompt_tokens_details")),
    ] = None
    output_details: Annotated[
        _OutputDetails | None,
        BeforeValidator(_object_or_none),
        Field(validation_alias=AliasChoices("output_tokens_details", "completion_tokens_details")),
    ] = None

    def add_to(self, usage: Usage) -> None:
        input_tokens, output_tokens = self.input_tokens, self.output_tokens
        total = self.total_tokens
        if total is not None and input_tokens is not None and output_tokens is None:
            output_tokens = max(0, total - input_tokens)
        elif total is not None and input_tokens is None and output_tokens is not None:
            input_tokens = max(0, total - output_tokens)
        elif None not in {total, input_tokens, output_tokens} and self.output_details:
            # Some servers that imitate the API count the reasoning in the total alone.
            reasoning = self.output_details.reasoning_tokens or 0
            if total == (input_tokens or 0) + (output_tokens or 0) + reasoning:
                output_tokens = (output_tokens or 0) + reasoning
        details = self.input_details or _InputDetails()
        known = input_tokens or 0
        cached = min(details.cached_tokens or 0, known)
        written = min(details.cache_write_tokens or 0, known - cached)
        usage.tokens = usage.tokens.plus(Tokens(known, output_tokens or 0, cached, written))
        usage.is_incomplete = usage.is_incomplete or input_tokens is None or output_tokens is None


_UsageOrNone = Annotated[_Usage | None, BeforeValidator(_object_or_none)]
_ErrorOrNone = Annotated[dict[str, Any] | None, BeforeValidator(_object_or_none)]


def _text_of_object(value: object) -> object:
    """Return the text in an object such as {"value": "..."}, the shape in OpenAI's older messages."""
    return value.get("value") if isinstance(value, dict) and "value" in value else value


class _Part(BaseModel):
    """A part of a message. Parts of unknown types are not text."""

    type: str | None = None
    text: Annotated[str | None, BeforeValidator(_text_of_object)] = None
    refusal: str | None = None


def _wrap_part(value: object) -> object:
    """Return a list for one part, which servers that imitate the API send without a list."""
    return [value] if isinstance(value, dict) and _PART_FIELDS & value.keys() else value


def _wrap_texts(value: object) -> object:
    """Return a list of parts for a text, and for a list of texts and parts."""
    if value is not None and not isinstance(value, str | list):
        return value
    contents = value if isinstance(value, list) else [value]
    return [{"text": each} if each is None or isinstance(each, str) else each for each in contents]


_PART_FIELDS = frozenset(_Part.model_fields)
_Parts = Annotated[list[_Part], BeforeValidator(_wrap_part)]


class _ChatMessage(BaseModel):
    content: Annotated[_Parts, BeforeValidator(_wrap_texts)] = []
    refusal: str | None = None


class _ChatChoice(BaseModel):
    message: _ChatMessage | None = None
    finish_reason: str | None = None
    error: _ErrorOrNone = None


class _ChatBody(BaseModel):
    model: _ModelId = ""
    choices: list[_ChatChoice] | None = None
    usage: _UsageOrNone = None
    error: _ErrorOrNone = None


class _OutputItem(BaseModel):
    type: str
    phase: str | None = None
    content: _Parts | None = None


class _IncompleteDetails(BaseModel):
    reason: str | None = None


class _ResponsesBody(BaseModel):
    model: _ModelId = ""
    status: str | None = None
    output: list[_OutputItem] | None = None
    usage: _UsageOrNone = None
    error: _ErrorOrNone = None
    incomplete_details: _IncompleteDetails | None = None


class _Model(BaseModel):
    id: _ModelId


class _ModelList(BaseModel):
    data: list[_Model] = Field(max_length=10_000)


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
        found = _ModelList.model_validate_json(content.removeprefix(BYTE_ORDER_MARK))
    except ValidationError:
        raise BadUpstreamReply from None
    return sorted({model.id for model in found.data if model.id})


def _parse_chat(content: bytes, requested_model: str, usage: Usage) -> Answer:
    body = _ChatBody.model_validate_json(content)
    model = body.model or requested_model
    choice = body.choices[0] if body.choices else _ChatChoice()
    if error := body.error or choice.error:
        _fail(error, body.usage, model, usage)
    if not body.choices:
        raise BadUpstreamReply
    # Tokens are counted before any error is raised, because OpenAI charges for refused and empty answers too.
    _count(body.usage, model, usage)
    reason = (choice.finish_reason or "").lower()
    message = choice.message or _ChatMessage()
    if message.refusal or reason in _FILTERED or _has_refusal(message.content):
        raise ModelRefused
    if choice.message is None:
        raise BadUpstreamReply
    return _to_answer(_join(message.content), model, usage, cut_off=reason in _CUT_OFF)


def _parse_responses(content: bytes, requested_model: str, usage: Usage) -> Answer:
    body = _ResponsesBody.model_validate_json(content)
    model = body.model or requested_model
    if body.status == "failed" or (body.error and not body.output):
        _fail(body.error or {}, body.usage, model, usage)
    if body.output is None:
        raise BadUpstreamReply
    _count(body.usage, model, usage)
    if body.status in _UNFINISHED:
        raise BadUpstreamReply
    # Items of other types are the model's reasoning and its calls of tools.
    messages = _final_messages([item for item in body.output if item.type == "message"])
    reason = body.incomplete_details.reason if body.incomplete_details else None
    if reason in _FILTERED or any(_has_refusal(message.content or []) for message in messages):
        raise ModelRefused
    text = "\n\n".join(filter(str.strip, (_join(message.content or []) for message in messages)))
    return _to_answer(text, model, usage, cut_off=body.status == "incomplete" or reason is not None)


def _final_messages(messages: list[_OutputItem]) -> list[_OutputItem]:
    """Return the messages that are the answer. Models that comment on their work give their messages a phase."""
    final = [message for message in messages if message.phase == FINAL_ANSWER]
    return final or [message for message in messages if message.phase != COMMENTARY]


def _has_refusal(parts: Iterable[_Part]) -> bool:
    return any(part.type == "refusal" or part.refusal for part in parts)


def _join(parts: Iterable[_Part]) -> str:
    return "".join(part.text or "" for part in parts if part.type in _TEXT_PARTS)


def _fail(error: Mapping[str, Any], counts: _Usage | None, model: str, usage: Usage) -> NoReturn:
    """Raise RequestRefused for the error in a reply of status 200."""
    before = usage.tokens
    if counts:
        counts.add_to(usage)
        usage.model = model
    code = error.get("code")
    # Servers that imitate the API send the status as the code.
    status = code if isinstance(code, int) and 400 <= code < 600 else 200
    raise RequestRefused(ApiRefusal.from_error(status, error), is_paid=usage.tokens != before)


def _count(counts: _Usage | None, model: str, usage: Usage) -> None:
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
