"""Mapping of OpenAI's errors to this server's errors.

OpenAI's own messages can contain parts of a key, so they are never passed on.
"""

from collections.abc import Callable

import httpx2
import openai

from glific_gpt import errors
from glific_gpt.errors import (
    BadUpstreamReply,
    DeadlineExceeded,
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
from glific_gpt.openai import causes, field_refusals, model_refusals, picture_refusals
from glific_gpt.openai.field_refusals import BAD_REQUEST, IN_BODY
from glific_gpt.openai.refusals import ApiRefusal

MAX_RETRY_AFTER_SECONDS = 86_400


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


def label_of_connection(error: openai.APIConnectionError) -> str:
    """Return the label of a missing or incomplete reply for the metrics."""
    return "timeout" if isinstance(error, openai.APITimeoutError) else "connection"


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


def _picture(refusal: ApiRefusal, model: str) -> GlificGptError | None:
    return picture_refusals.find_error(refusal, model) if refusal.status in {IN_BODY, *BAD_REQUEST} else None


def _key(refusal: ApiRefusal, _model: str) -> GlificGptError | None:
    if refusal.status not in {401, 403}:
        return None
    return InvalidApiKey(errors.MSG_RESTRICTED_KEY if refusal.is_restricted_key else "")


def _bad_request(refusal: ApiRefusal, _model: str) -> GlificGptError | None:
    if refusal.status not in BAD_REQUEST:
        return None
    return UpstreamError("OpenAI does not accept this request. Check the fields of the webhook node.")


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
    field_refusals.find_vector_store,
    model_refusals.find_closed_model,
    model_refusals.find_unsuitable_model,
    _key,
    field_refusals.find_length,
    field_refusals.find_unaccepted_field,
    _bad_request,
)
"""The first cause that a reply has counts. Causes that the status does not tell come before those that it does."""
