"""OpenAI's refusals, told apart and put into our words; theirs can hold parts of a key and are never passed on."""

from email.utils import parsedate_to_datetime
from math import isfinite

import httpx2
import openai

from glific_gpt.clock import now
from glific_gpt.errors import (
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

# https://platform.openai.com/docs/guides/error-codes, and what the API was seen to send.
OUT_OF_CREDIT = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}
RESTRICTED = (
    "OpenAI does not let this key do this: give it permission to use models, or make a key with all permissions."
)
DAY_SECONDS = 86_400
UNSUPPORTED = {"unsupported_parameter", "unsupported_value"}


class Refusal:
    """What an error reply of OpenAI says: enough to tell one from another, and nothing to show."""

    def __init__(self, error: openai.APIStatusError) -> None:
        body = error.body if isinstance(error.body, dict) else {}
        self.status = error.status_code
        self.code = str(body.get("code") or "")
        self.kind = str(body.get("type") or "")
        self.param = str(body.get("param") or "")
        self.message = str(body.get("message") or "").lower()
        self.retry_after = _seconds(error.response.headers.get("retry-after"))

    @property
    def out_of_credit(self) -> bool:
        return self.status == 402 or bool({self.code, self.kind} & OUT_OF_CREDIT)

    @property
    def restricted(self) -> bool:
        """Whether the key is right but was made without the permission; OpenAI has no code for it."""
        return self.status == 403 or "scope" in self.message

    @property
    def unsupported(self) -> str | None:
        """The top-level parameter that this model does not take."""
        return self.param.split(".")[0].split("[")[0] or None if self.code in UNSUPPORTED else None

    @property
    def wants_responses(self) -> bool:
        """Whether this model is served by the Responses API only; there is no code for it."""
        return self.status in {400, 404} and "v1/responses" in self.message

    @property
    def passes(self) -> bool:
        """Whether the same call may be answered a moment later."""
        return self.status in {408, 409, 425} or self.status >= 500 or (self.status == 429 and not self.out_of_credit)


def from_status(refusal: Refusal, model: str) -> GlificGptError:
    """Our error for a reply of status 3xx, 4xx or 5xx."""
    if refusal.out_of_credit:
        return InsufficientQuota()
    if refusal.status == 429:
        return RateLimited(retry_after=min(DAY_SECONDS, max(1, round(refusal.retry_after or 1))))
    if refusal.code == "model_not_found" or refusal.status == 404:
        return _not_found(refusal, model)
    if refusal.status in {401, 403}:
        return _not_permitted(refusal)
    if refusal.status in {400, 413, 422}:
        return _bad_request(refusal, model)
    return UpstreamError() if refusal.status >= 500 else BadUpstreamReply()


def from_connection(error: openai.APIConnectionError) -> GlificGptError:
    """Our error for a reply that did not come, or did not come whole."""
    if isinstance(error, openai.APITimeoutError):
        return DeadlineExceeded()
    return BadUpstreamReply() if _had_begun(error) else UpstreamError()


def is_final(error: openai.APIConnectionError) -> bool:
    """Whether there is no use in another try: no time is left, or the answer had begun and would be paid for twice."""
    return isinstance(error, openai.APITimeoutError) or _had_begun(error)


def _had_begun(error: openai.APIConnectionError) -> bool:
    return isinstance(error.__cause__, httpx2.DecodingError)


def _not_found(refusal: Refusal, model: str) -> GlificGptError:
    if "not a chat model" in refusal.message:
        return ModelNotSupported(f"OpenAI does not offer {model} for questions and answers: choose another model.")
    if refusal.code == "model_not_found" or "model" in refusal.message:
        return ModelNotFound(f"OpenAI knows no model {model} for this key: check its name, or choose another model.")
    return UpstreamError("There is no OpenAI API at the address that this server asks: tell its administrators.")


def _not_permitted(refusal: Refusal) -> GlificGptError:
    if refusal.code == "unsupported_country_region_territory":
        return UpstreamError("OpenAI does not serve the country that this server is in: tell its administrators.")
    return InvalidApiKey(RESTRICTED if refusal.restricted else "")


def _bad_request(refusal: Refusal, model: str) -> GlificGptError:
    if refusal.code == "context_length_exceeded":
        return InvalidField(f"question_text and prompt are together too long for {model}: shorten them.")
    if refusal.param.startswith(("response_format", "text")):
        return InvalidField(f"response_format is not one that {model} can follow: check its schema.")
    if refusal.param.startswith(("max_", "temperature")):
        name = "temperature" if refusal.param == "temperature" else "max_tokens"
        return InvalidField(f"{name} is not a value that {model} takes.")
    return UpstreamError("OpenAI does not accept this request: check the fields of the webhook node.")


def _seconds(retry_after: str | None) -> float | None:
    """Retry-After as seconds from now: a number, or a date (RFC 9110, 10.2.3)."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        return _until(retry_after)
    return max(0.0, seconds) if isfinite(seconds) else None


def _until(date: str) -> float | None:
    try:
        return max(0.0, (parsedate_to_datetime(date) - now()).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
