"""Data types for resuming a flow: access to Glific, the request, and its result."""

from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import JsonValue, SecretStr


@dataclass(frozen=True)
class ApiAccess:
    """Access by Glific's documented API, with the login of a Glific user with the role manager or higher."""

    api_url: str
    """https://api.<shortcode>.glific.com, without a slash at the end."""
    phone: str = field(repr=False)
    """Digits only, with the country code."""
    password: SecretStr = field(repr=False)


@dataclass(frozen=True)
class SignedAccess:
    """Access by a call that is signed with the organization's signature phrase, as Glific's own AI platform does."""

    api_url: str
    """https://api.<shortcode>.glific.com, without a slash at the end."""
    phrase: SecretStr = field(repr=False)
    organization_id: int
    """The organization's id in Glific."""


Access = ApiAccess | SignedAccess


MAX_RETRY_AFTER_SECONDS = 60.0
"""Longer `Retry-After` times of Glific are cut to this."""


@dataclass(frozen=True)
class Resumption:
    """A result for the waiting flow of one contact."""

    flow_id: int
    contact_id: int
    result_name: str
    """The flow reads the result as `@results.<result_name>`."""
    result: dict[str, JsonValue] = field(repr=False)
    """`success`, `status` ("ok" or "error"), `parsed_msg`, `call_id`, and other keys that the flow may read."""


class DeliveryStatus(StrEnum):
    """Outcome of one attempt to resume a flow."""

    DELIVERED = "delivered"
    NOT_WAITING = "not_waiting"
    """The flow has not reached its waiting node yet, or has already left it."""
    TRY_LATER = "try_later"
    REFUSED = "refused"
    """Permanent: a retry would fail, too."""


@dataclass(frozen=True)
class DeliveryResult:
    """Result of one attempt to resume a flow."""

    status: DeliveryStatus
    message: str
    """One plain sentence, at most 300 characters. Never text from Glific, because that can name contacts."""
    retry_after: float | None = None
    """Seconds that Glific asks to wait, at most MAX_RETRY_AFTER_SECONDS."""
    possibly_delivered: bool = False
    """True if the request was sent and no response arrived."""


class DeliveryError(Exception):
    """Carries a failed DeliveryResult to GlificClient. It is not raised outside of this package."""

    def __init__(self, result: DeliveryResult) -> None:
        super().__init__(result.message)
        self.result = result


def refusal(message: str) -> DeliveryResult:
    return DeliveryResult(DeliveryStatus.REFUSED, message)


def temporary_failure(message: str, *, retry_after: float | None = None) -> DeliveryResult:
    return DeliveryResult(DeliveryStatus.TRY_LATER, message, retry_after)
