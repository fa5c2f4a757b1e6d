"""Mapping of OpenAI's errors to this server's errors.

OpenAI's own messages can contain parts of a key, so they are never passed on.
"""

import re
from email.utils import parsedate_to_datetime
from math import isfinite

import httpx2
import openai

from glific_gpt.clock import now
from glific_gpt.errors import (
    MSG_OPENAI_RATE_LIMIT,
    MSG_RESTRICTED_KEY,
    BadUpstreamReply,
    DeadlineExceeded,
    GlificGptError,
    InsufficientQuota,
    InvalidApiKey,
    InvalidField,
    ModelNotFound,
    ModelNotSupported,
    RateLimited,
    UpstreamError,
)
from glific_gpt.openai import causes

# From https://platform.openai.com/docs/guides/error-codes and from observed replies of the API.
OUT_OF_CREDIT_CODES = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}
UNSUPPORTED_CODES = {"unsupported_parameter", "unsupported_value"}
MAX_RETRY_AFTER_SECONDS = 86_400

# OpenAI has no codes for these. A message can repeat text that the caller chose, such as the name of a property in a
# schema, so each pattern describes OpenAI's own sentence from its beginning.
_RESPONSES_ONLY = re.compile(r"this model is only supported in /?v1/responses and not in /?v1/chat/completions\.")
_NOT_CHAT = re.compile(r"this is not a chat model and thus not supported in the /?v1/chat/completions endpoint\.")
_MISSING_SCOPE = re.compile(r"you have insufficient permissions for this operation\. missing scopes: ")


class ApiRefusal:
    """The fields of an OpenAI error reply that tell its cause. They are never shown to users."""

    def __init__(self, error: openai.APIStatusError) -> None:
        body = error.body if isinstance(error.body, dict) else {}
        self.status = error.status_code
        self.code = str(body.get("code") or "")
        self.type = str(body.get("type") or "")
        self.parameter = str(body.get("param") or "")
        self.message = str(body.get("message") or "").lower()
        self.retry_after = _parse_retry_after(error.response.headers.get("retry-after"))
        self.request_id = error.response.headers.get("x-request-id") or ""

    @property
    def cause(self) -> str:
        return causes.describe_refusal(self.status, self.code, self.type, self.parameter, self.request_id)

    @property
    def is_out_of_credit(self) -> bool:
        return self.status == 402 or bool({self.code, self.type} & OUT_OF_CREDIT_CODES)

    @property
    def is_restricted_key(self) -> bool:
        """True if the key is valid but lacks the permission."""
        return self.status == 403 or _MISSING_SCOPE.match(self.message) is not None

    @property
    def unsupported_parameter(self) -> str | None:
        """The top-level parameter that the model does not accept, or None."""
        return self.parameter.split(".")[0].split("[")[0] or None if self.code in UNSUPPORTED_CODES else None

    @property
    def is_about_value(self) -> bool:
        """True if the model accepts the parameter, but not with this value."""
        return self.code == "unsupported_value"

    @property
    def wants_responses_api(self) -> bool:
        """True if only the Responses API serves the model."""
        return self.status in {400, 404} and _RESPONSES_ONLY.fullmatch(self.message) is not None

    @property
    def is_temporary(self) -> bool:
        """True if the same request may succeed a moment later."""
        # Request time-out, conflict and too early: the openai library retries the first two as well.
        return (
            self.status in {408, 409, 425} or self.status >= 500 or (self.status == 429 and not self.is_out_of_credit)
        )


def error_for_refusal(refusal: ApiRefusal, model: str) -> GlificGptError:
    """Return this server's error for a reply of status 3xx, 4xx or 5xx, with its cause."""
    error = _error_for_refusal(refusal, model)
    error.cause = refusal.cause
    return error


def _error_for_refusal(refusal: ApiRefusal, model: str) -> GlificGptError:
    if refusal.is_out_of_credit:
        return InsufficientQuota()
    if refusal.status == 429:
        # Clients wait for the whole Retry-After, so a wrong value from OpenAI must not become a wait of years.
        return RateLimited(
            MSG_OPENAI_RATE_LIMIT, retry_after=min(MAX_RETRY_AFTER_SECONDS, max(1, round(refusal.retry_after or 1)))
        )
    if refusal.code == "model_not_found" or refusal.status == 404:
        return _error_for_not_found(refusal, model)
    if refusal.status in {401, 403}:
        return _error_for_key(refusal)
    if refusal.status in {400, 413, 422}:
        return _error_for_bad_request(refusal, model)
    return UpstreamError() if refusal.status >= 500 else BadUpstreamReply()


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


def _error_for_not_found(refusal: ApiRefusal, model: str) -> GlificGptError:
    if _NOT_CHAT.match(refusal.message):
        return ModelNotSupported(f"OpenAI does not offer {model} for questions and answers. Choose another model.")
    if refusal.code == "model_not_found" or "model" in refusal.message:
        return ModelNotFound(f"OpenAI has no model {model} for this key. Check its name, or choose another model.")
    return UpstreamError(
        "There is no OpenAI API at the address that this server uses. Ask its administrators to correct it."
    )


def _error_for_key(refusal: ApiRefusal) -> GlificGptError:
    if refusal.code == "unsupported_country_region_territory":
        return UpstreamError("OpenAI does not serve the country that this server is in. Inform its administrators.")
    return InvalidApiKey(MSG_RESTRICTED_KEY if refusal.is_restricted_key else "")


def _error_for_bad_request(refusal: ApiRefusal, model: str) -> GlificGptError:
    if refusal.code == "context_length_exceeded":
        return InvalidField(f"question_text and prompt together are too long for {model}. Shorten them.")
    if refusal.parameter.startswith(("response_format", "text")):
        return InvalidField(f"{model} does not accept this response_format. Check its schema.")
    if refusal.parameter.startswith(("max_", "temperature")):
        name = "temperature" if refusal.parameter == "temperature" else "max_tokens"
        return InvalidField(f"{model} does not accept this value of {name}. Change it, or leave {name} out.")
    return UpstreamError("OpenAI does not accept this request. Check the fields of the webhook node.")


def _parse_retry_after(value: str | None) -> float | None:
    """Return Retry-After as seconds from now. It is a number or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        return _seconds_until(value)
    return max(0.0, seconds) if isfinite(seconds) else None


def _seconds_until(date: str) -> float | None:
    try:
        return max(0.0, (parsedate_to_datetime(date) - now()).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
