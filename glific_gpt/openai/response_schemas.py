"""The shapes of OpenAI's response bodies, and of those of servers that imitate the API."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, Field

from glific_gpt.openai.chat import Tokens, Usage
from glific_gpt.settings import MODEL_NAME

MAX_FILE_NAME = 255
"""Characters of a file's name that are read. File systems allow no more bytes."""
MAX_TOKENS = 2**31
"""Limit of the columns that store numbers of tokens."""


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


class InputDetails(BaseModel):
    cached_tokens: _Count = None
    cache_write_tokens: _Count = None


class OutputDetails(BaseModel):
    reasoning_tokens: _Count = None


class TokenCounts(BaseModel):
    """Numbers of tokens, with the names of either endpoint. Each of them can be null or missing."""

    input_tokens: Annotated[_Count, Field(validation_alias=AliasChoices("input_tokens", "prompt_tokens"))] = None
    output_tokens: Annotated[_Count, Field(validation_alias=AliasChoices("output_tokens", "completion_tokens"))] = None
    total_tokens: _Count = None
    input_details: Annotated[
        InputDetails | None,
        BeforeValidator(_object_or_none),
        Field(validation_alias=AliasChoices("input_tokens_details", "prompt_tokens_details")),
    ] = None
    output_details: Annotated[
        OutputDetails | None,
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
        details = self.input_details or InputDetails()
        known = input_tokens or 0
        cached = min(details.cached_tokens or 0, known)
        written = min(details.cache_write_tokens or 0, known - cached)
        usage.tokens = usage.tokens.plus(Tokens(known, output_tokens or 0, cached, written))
        usage.is_incomplete = usage.is_incomplete or input_tokens is None or output_tokens is None


_UsageOrNone = Annotated[TokenCounts | None, BeforeValidator(_object_or_none)]
_ErrorOrNone = Annotated[dict[str, Any] | None, BeforeValidator(_object_or_none)]


def _text_of_object(value: object) -> object:
    """Return the text in an object such as {"value": "..."}, the shape in OpenAI's older messages."""
    return value.get("value") if isinstance(value, dict) and "value" in value else value


def _citations(value: object) -> object:
    """Return the citations of files among the annotations of a text, and skip what is none."""
    found = value if isinstance(value, list) else []
    return [each for each in found if isinstance(each, dict) and each.get("type") == "file_citation"]


def _name_or_empty(value: object) -> str:
    return value[:MAX_FILE_NAME] if isinstance(value, str) else ""


class FileCitation(BaseModel):
    filename: Annotated[str, BeforeValidator(_name_or_empty)] = ""


class Part(BaseModel):
    """A part of a message. Parts of unknown types are not text."""

    type: str | None = None
    text: Annotated[str | None, BeforeValidator(_text_of_object)] = None
    refusal: str | None = None
    annotations: Annotated[list[FileCitation], BeforeValidator(_citations)] = []


def _wrap_part(value: object) -> object:
    """Return a list for one part, which servers that imitate the API send without a list."""
    return [value] if isinstance(value, dict) and _PART_FIELDS & value.keys() else value


def _wrap_texts(value: object) -> object:
    """Return a list of parts for a text, and for a list of texts and parts."""
    if value is not None and not isinstance(value, str | list):
        return value
    contents = value if isinstance(value, list) else [value]
    return [{"text": each} if each is None or isinstance(each, str) else each for each in contents]


_PART_FIELDS = frozenset(Part.model_fields) - {"annotations"}
_Parts = Annotated[list[Part], BeforeValidator(_wrap_part)]


class ChatMessage(BaseModel):
    content: Annotated[_Parts, BeforeValidator(_wrap_texts)] = []
    refusal: str | None = None


class ChatChoice(BaseModel):
    message: ChatMessage | None = None
    finish_reason: str | None = None
    error: _ErrorOrNone = None


class ChatBody(BaseModel):
    model: _ModelId = ""
    choices: list[ChatChoice] | None = None
    usage: _UsageOrNone = None
    error: _ErrorOrNone = None


class OutputItem(BaseModel):
    type: str
    phase: str | None = None
    content: _Parts | None = None


class IncompleteDetails(BaseModel):
    reason: str | None = None


class ResponsesBody(BaseModel):
    model: _ModelId = ""
    status: str | None = None
    output: list[OutputItem] | None = None
    usage: _UsageOrNone = None
    error: _ErrorOrNone = None
    incomplete_details: IncompleteDetails | None = None


class Model(BaseModel):
    id: _ModelId


class ModelList(BaseModel):
    data: list[Model] = Field(max_length=10_000)
