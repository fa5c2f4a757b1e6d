"""Refusals that are about a field of the webhook's body: its length, its value, or the store that it names."""

import re

from glific_gpt import errors
from glific_gpt.errors import EmptyAnswer, GlificGptError, InvalidField
from glific_gpt.openai.refusals import ApiRefusal

BAD_REQUEST = {400, 413, 422}
IN_BODY = 200
"""Status of replies with an error in their body."""

# OpenAI has no codes for most of these. See refusals.py about text that the caller chose.
_NO_VECTOR_STORE = re.compile(
    r"(?:no )?vector store (?:found )?with id\b|vector store\b.{0,120}\b(?:not found|(?:has|is) expired|does not exist)"
    r"|invalid '(?:tools\[\d+\]\.)?vector_store_ids?\b"
)
_TOO_LONG_CODE = re.compile(
    r"context_length|context_size|string_above_max_length|input_too_(?:long|large)|prompt_too_long"
)
_TOO_LONG = re.compile(
    r"this model's maximum context length|your input exceeds the context window|.{0,40}\bstring too long"
)
_OUT_OF_TOKENS = re.compile(r"could not finish the message because max_tokens")
_PARAMETER_SENTENCES = (
    (
        "response_format",
        re.compile(r"invalid schema for response_format|invalid (?:parameter|value): 'response_format"),
    ),
    ("max_tokens", re.compile(r"'?max_(?:completion_|output_)?tokens'? (?:is|are) too |invalid 'max_(?:\w+_)?tokens'")),
)
"""Fields that the message alone names."""
_FIELDS = (
    ("response_format", ("response_format", "text.format", "text")),
    ("max_tokens", ("max_",)),
    ("temperature", ("temperature",)),
    ("reasoning_effort", ("reasoning",)),
    ("verbosity", ("verbosity", "text.verbosity")),
)
"""Fields of the webhook's body, with the beginnings of OpenAI's names for them."""


def find_vector_store(refusal: ApiRefusal, _model: str) -> GlificGptError | None:
    """Return the error of a vector store that OpenAI does not find.

    It answers in the same way for a store of another account and for one that does not exist.
    """
    is_named = "vector_store_ids" in refusal.parameter
    if refusal.status in {IN_BODY, 404, *BAD_REQUEST} and (is_named or _NO_VECTOR_STORE.match(refusal.message)):
        return InvalidField(errors.MSG_NO_VECTOR_STORE).naming("vector_store_id")
    return None


def find_length(refusal: ApiRefusal, model: str) -> GlificGptError | None:
    """Return the error of texts that are too long, or of an answer without tokens left."""
    if refusal.status not in {IN_BODY, *BAD_REQUEST}:
        return None
    if any(_TOO_LONG_CODE.search(name) for name in refusal.names) or _TOO_LONG.match(refusal.message):
        return InvalidField(f"question_text and prompt together are too long for {model}. Shorten them.")
    if _OUT_OF_TOKENS.match(refusal.message):
        return EmptyAnswer()
    return None


def find_unaccepted_field(refusal: ApiRefusal, model: str) -> GlificGptError | None:
    """Return the error of a field with a value that the model does not accept."""
    if refusal.status not in {IN_BODY, *BAD_REQUEST}:
        return None
    field = _refused_field(refusal)
    if field == "response_format":
        return InvalidField(f"{model} does not accept this response_format. Check its schema.").naming(field)
    if field:
        message = f"{model} does not accept this value of {field}. Change it, or leave {field} out."
        return InvalidField(message).naming(field)
    return None


def _refused_field(refusal: ApiRefusal) -> str | None:
    """Return the field of the webhook's body with a value that OpenAI does not accept."""
    named = next((field for field, sentence in _PARAMETER_SENTENCES if sentence.match(refusal.message)), None)
    if not refusal.parameter:
        return named
    fields = [field for field, beginnings in reversed(_FIELDS) if refusal.parameter.startswith(beginnings)]
    return next(iter(fields), named)
