"""Mapping of OpenAI's errors to this server's errors.

OpenAI's own messages can contain parts of a key, so they are never passed on.
"""

import re
from collections.abc import Callable

import httpx2
import openai

from glific_gpt import errors
from glific_gpt.errors import (
    BadUpstreamReply,
    DeadlineExceeded,
    EmptyAnswer,
    GlificGptError,
    InsufficientQuota,
    InvalidApiKey,
    InvalidField,
    ModelNotFound,
    ModelNotSupported,
    ModelRefused,
    RateLimited,
    UpstreamError,
    WrongRegion,
)
from glific_gpt.openai import causes, picture_refusals
from glific_gpt.openai.refusals import ApiRefusal

MAX_RETRY_AFTER_SECONDS = 86_400
BAD_REQUEST = {400, 413, 422}
IN_BODY = 200
"""Status of replies with an error in their body."""

# OpenAI has no codes for these. See refusals.py about text that the caller chose.
_NOT_SERVED = re.compile(
    r"this is not a chat model and thus not supported in the /?v1/chat/completions endpoint\."
    r"|(?:the requested model|the model|this model)\b(?: [`'\"]?[\w.:/-]+[`'\"]?)? (?:cannot be used with the |is only "
    r"(?:supported|available) (?:in|through|via|with) |is not supported (?:in|with|by) (?:the )?(?:v1/|chat|responses))"
)
_NEEDS_TOOLS = re.compile(
    r"(?!invalid )[\w '`.:/-]{0,120}\brequires? (?:at least one of|the|a|an|one)\b.{0,120}\btools?\b"
)
_SEARCHES_NO_FILES = re.compile(
    r"(?:hosted )?tool '?file_search'? is not supported (?:with|by)"
    r"|[\w.:/-]{1,200} does not support (?:the )?'?file_search"
)
_NO_VECTOR_STORE = re.compile(
    r"(?:no )?vector store (?:found )?with id\b|vector store\b.{0,120}\b(?:not found|(?:has|is) expired|does not exist)"
    r"|invalid '(?:tools\[\d+\]\.)?vector_store_ids?\b"
)
_UNVERIFIED = re.compile(r"your organization must be verified\b")
_NO_ACCESS_CODE = re.compile(r"model_(?:access|permission|not_allowed|not_enabled)")
_NO_ACCESS = re.compile(
    r"(?:project|organization) \S{1,100} does not have access to (?:the )?model\b"
    r"|(?:you|your \w+|this \w+) (?:do|does|are|is) not "
    r"(?:have access to|(?:allowed|permitted|authorized) to \w+(?: from)?)"
    r" (?:the |this )?(?:requested )?(?:model|engine)\b"
    r"|(?:the|this) model\b(?: [`'\"]?[\w.:/-]+[`'\"]?)? is not (?:available|enabled) (?:for|to|in) (?:your|this)\b"
)
_RETIRED = re.compile(
    r"(?:the|this) (?:requested )?model\b(?: version)?(?: [`'\"]?[\w.:/-]+[`'\"]?)?,? "
    r"(?:has been|is|was)(?: been)? (?:\w+ )?"
    r"(?:deprecated|retired|shut ?down|discontinued|removed|sunset|no longer (?:available|supported|served))"
)
_RETIRED_CODE = re.compile(r"model_(?:\w+_)?(?:deprecated|retired|shut_?down|sunset|discontinued)|deprecat")
_UNKNOWN_MODEL = re.compile(
    r"(?:/[a-z/]{1,40}: )?invalid model(?: id| name)?\b|(?:the|unknown|requested) (?:requested )?model\b.{0,240}\bexist"
)
_UNKNOWN_MODEL_NAMES = {"model_not_found", "deploymentnotfound"}
"""OpenAI's code and Azure's."""
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


def error_for_refusal(refusal: ApiRefusal, model: str) -> GlificGptError:
    """Return this server's error for an error reply, with its cause."""
    error = next((error for find in _CHECKS if (error := find(refusal, model))), None)
    if error is None:
        error = UpstreamError() if refusal.status >= 500 else BadUpstreamReply()
    error.cause = refusal.cause
    error.is_about_model = _is_about_model(refusal, error)
    return error


def _is_about_model(refusal: ApiRefusal, error: GlificGptError) -> bool:
    """Return whether OpenAI refused the model, limited it, or failed. Its limits differ between models."""
    if isinstance(error, ModelNotFound | ModelNotSupported | RateLimited) or refusal.is_too_large:
        return True
    has_failed = refusal.status >= 500 or refusal.is_temporary
    return has_failed and isinstance(error, UpstreamError) and not refusal.is_country_unsupported


def error_for_connection(error: openai.APIConnectionError) -> GlificGptError:
    """Return this server's error for a missing or incomplete reply, with its cause."""
    mapped: GlificGptError = BadUpstreamReply() if _reply_had_started(error) else UpstreamError()
    if isinstance(error, openai.APITimeoutError):
        mapped = DeadlineExceeded(was_asked=not isinstance(error.__cause__, httpx2.ConnectTimeout))
    mapped.cause = causes.describe_connection(error.__cause__)
    return mapped


def is_final(error: openai.APIConnectionError) -> bool:
    """Return True if a retry is useless (no time left) or harmful (a reply that had started would be paid twice)."""
    return isinstance(error, openai.APITimeoutError) or _reply_had_started(error)


def _reply_had_started(error: openai.APIConnectionError) -> bool:
    return isinstance(error.__cause__, httpx2.DecodingError)


def _page(refusal: ApiRefusal, _model: str) -> GlificGptError | None:
    """A reply that is not from the API says nothing about the key, the question or the model."""
    if refusal.is_from_api or refusal.status == 429 or refusal.status >= 500 or refusal.status < 400:
        return None
    if refusal.status == 404:
        return UpstreamError(errors.MSG_NO_API)
    return UpstreamError(errors.MSG_PROXY_REFUSED)


def _country(refusal: ApiRefusal, _model: str) -> GlificGptError | None:
    return UpstreamError(errors.MSG_COUNTRY) if refusal.is_country_unsupported else None


def _region(refusal: ApiRefusal, _model: str) -> GlificGptError | None:
    if not refusal.is_wrong_region:
        return None
    if host := refusal.region_host:
        return WrongRegion(
            f"OpenAI serves this key's project at {host} only. Save the key with the address https://{host}/v1, or use "
            "a key of a project without a region.",
            base_url=f"https://{host}/v1",
        )
    return WrongRegion()


def _account(refusal: ApiRefusal, _model: str) -> GlificGptError | None:
    if refusal.is_account_closed:
        return InvalidApiKey(errors.MSG_ACCOUNT_CLOSED)
    if refusal.is_project_closed:
        return InvalidApiKey(errors.MSG_PROJECT_CLOSED)
    if refusal.is_address_refused:
        return InvalidApiKey(errors.MSG_ADDRESS_REFUSED)
    return None


def _credit(refusal: ApiRefusal, _model: str) -> GlificGptError | None:
    if not refusal.is_out_of_credit:
        return None
    if any("spend_limit" in name or "usage_limit" in name or "hard_limit" in name for name in refusal.names):
        return InsufficientQuota(errors.MSG_SPEND_LIMIT)
    return InsufficientQuota(errors.MSG_BILLING_INACTIVE if "billing_not_active" in refusal.names else "")


def _limit(refusal: ApiRefusal, model: str) -> GlificGptError | None:
    if refusal.is_limit_zero:
        return ModelNotFound(
            f"OpenAI allows this key's account no questions to {model}. Choose another model, or ask OpenAI for a "
            "higher limit."
        )
    if refusal.is_too_large:
        return InvalidField(
            f"question_text, prompt and max_tokens together are more than OpenAI lets this account send to {model}. "
            "Shorten them, or ask OpenAI for a higher limit."
        )
    if not refusal.is_rate_limit:
        return None
    # Clients wait for the whole Retry-After, so a wrong value from OpenAI must not become a wait of years.
    seconds = min(MAX_RETRY_AFTER_SECONDS, max(1, round(refusal.retry_after or 1)))
    message = errors.MSG_OPENAI_DAILY_LIMIT if refusal.is_daily_limit else errors.MSG_OPENAI_RATE_LIMIT
    return RateLimited(message, retry_after=seconds)


def _safety(refusal: ApiRefusal, _model: str) -> GlificGptError | None:
    return ModelRefused(errors.MSG_UNSAFE) if refusal.is_unsafe else None


def _overloaded(refusal: ApiRefusal, _model: str) -> GlificGptError | None:
    return UpstreamError() if refusal.is_temporary and refusal.status < 500 else None


def _vector_store(refusal: ApiRefusal, _model: str) -> GlificGptError | None:
    """OpenAI answers in the same way for a store of another account and for one that does not exist."""
    is_named = "vector_store_ids" in refusal.parameter
    if refusal.status in {IN_BODY, 404, *BAD_REQUEST} and (is_named or _NO_VECTOR_STORE.match(refusal.message)):
        return InvalidField(errors.MSG_NO_VECTOR_STORE).naming("vector_store_id")
    return None


def _picture(refusal: ApiRefusal, model: str) -> GlificGptError | None:
    return picture_refusals.find_error(refusal, model) if refusal.status in {IN_BODY, *BAD_REQUEST} else None


def _closed_model(refusal: ApiRefusal, model: str) -> GlificGptError | None:
    """The model exists, but not for this key or not any more."""
    message = refusal.message
    if _UNVERIFIED.match(message) or "verif" in refusal.code:
        return ModelNotFound(
            f"OpenAI wants this key's organization to be verified before it may use {model}. Verify it at "
            "platform.openai.com under Settings, Organization, General, or choose another model."
        )
    if _NO_ACCESS.match(message) or any(_NO_ACCESS_CODE.search(name) for name in refusal.names):
        return ModelNotFound(
            f"This key's project may not use {model}. Allow the model at platform.openai.com in the project's limits, "
            "or choose another model."
        )
    if _RETIRED.match(message) or _RETIRED_CODE.search(refusal.code):
        return ModelNotFound(f"OpenAI no longer offers {model}. Choose another model.")
    return None


def _unsuitable_model(refusal: ApiRefusal, model: str) -> GlificGptError | None:
    """The model cannot be used here, or is unknown."""
    message = refusal.message
    if _SEARCHES_NO_FILES.match(message):
        return ModelNotSupported(errors.MSG_SEARCHES_NO_FILES.format(model=model))
    if refusal.parameter.startswith("tool") or _NEEDS_TOOLS.match(message):
        return ModelNotSupported(errors.MSG_NEEDS_TOOLS.format(model=model))
    if _NOT_SERVED.match(message) or refusal.code in {"unsupported_model", "model_not_supported"}:
        return ModelNotSupported(f"OpenAI does not offer {model} for questions and answers. Choose another model.")
    is_unknown = refusal.names & _UNKNOWN_MODEL_NAMES or _UNKNOWN_MODEL.match(message)
    if is_unknown or (refusal.status == 404 and "model" in message):
        return ModelNotFound(f"OpenAI has no model {model} for this key. Check its name, or choose another model.")
    return UpstreamError(errors.MSG_NO_API) if refusal.status == 404 else None


def _key(refusal: ApiRefusal, _model: str) -> GlificGptError | None:
    if refusal.status not in {401, 403}:
        return None
    return InvalidApiKey(errors.MSG_RESTRICTED_KEY if refusal.is_restricted_key else "")


def _length(refusal: ApiRefusal, model: str) -> GlificGptError | None:
    if refusal.status not in {IN_BODY, *BAD_REQUEST}:
        return None
    if any(_TOO_LONG_CODE.search(name) for name in refusal.names) or _TOO_LONG.match(refusal.message):
        return InvalidField(f"question_text and prompt together are too long for {model}. Shorten them.")
    if _OUT_OF_TOKENS.match(refusal.message):
        return EmptyAnswer()
    return None


def _unaccepted_field(refusal: ApiRefusal, model: str) -> GlificGptError | None:
    if refusal.status not in {IN_BODY, *BAD_REQUEST}:
        return None
    field = _refused_field(refusal)
    if field == "response_format":
        return InvalidField(f"{model} does not accept this response_format. Check its schema.").naming(field)
    if field:
        message = f"{model} does not accept this value of {field}. Change it, or leave {field} out."
        return InvalidField(message).naming(field)
    return None


def _bad_request(refusal: ApiRefusal, _model: str) -> GlificGptError | None:
    if refusal.status not in BAD_REQUEST:
        return None
    return UpstreamError("OpenAI does not accept this request. Check the fields of the webhook node.")


def _refused_field(refusal: ApiRefusal) -> str | None:
    """Return the field of the webhook's body with a value that OpenAI does not accept."""
    named = next((field for field, sentence in _PARAMETER_SENTENCES if sentence.match(refusal.message)), None)
    if not refusal.parameter:
        return named
    fields = [field for field, beginnings in reversed(_FIELDS) if refusal.parameter.startswith(beginnings)]
    return next(iter(fields), named)


_CHECKS: tuple[Callable[[ApiRefusal, str], GlificGptError | None], ...] = (
    _page,
    _country,
    _region,
    _account,
    _credit,
    _limit,
    _safety,
    _picture,
    _overloaded,
    _vector_store,
    _closed_model,
    _unsuitable_model,
    _key,
    _length,
    _unaccepted_field,
    _bad_request,
)
"""The first cause that a reply has counts. Causes that the status does not tell come before those that it does."""
