"""Log in to Glific's API and read the access token."""

import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from glific_gpt.clock import Deadline, now
from glific_gpt.glific import responses
from glific_gpt.glific.http import HttpClients, HttpResponse
from glific_gpt.glific.resumption import (
    MAX_RETRY_AFTER_SECONDS,
    ApiAccess,
    DeliveryError,
    DeliveryResult,
    DeliveryStatus,
    refusal,
    temporary_failure,
)

LOGIN_PATH = "/api/v1/session"
DEFAULT_TOKEN_SECONDS = 25 * 60.0
"""Lifetime of a token with an unreadable expiry. Glific's tokens are valid for half an hour."""
RENEW_BEFORE_EXPIRY_SECONDS = 60.0
"""A token is renewed this long before it expires."""

WRONG_LOGIN = refusal("Glific does not accept this phone number and password. Check both, and connect again.")
SUSPENDED = refusal("Glific has suspended this organization or its login. Contact Glific's support.")
NOT_GLIFIC = "The server at this address does not answer as a Glific API. Check the address of the API."
LOGIN_RATE_LIMITED = "Glific allows no more logins at the moment. Another attempt in a minute can succeed."

# Characters that an HTTP header can contain.
_TOKEN = re.compile(r"[!-~]{1,8192}")


@dataclass(frozen=True)
class AccessToken:
    """An access token of Glific's API."""

    value: str = field(repr=False)
    seconds: float
    """How long to use the token. Zero if it expires within a minute."""
    received_at: float = field(default_factory=time.monotonic)

    def is_usable(self, requested_at: float) -> bool:
        """Return whether a thread that needs a token since that monotonic time may use this one.

        A token that arrived after `requested_at` is always usable, even with a lifetime of zero. Otherwise each of
        many waiting threads would log in for itself.
        """
        return time.monotonic() < self.received_at + self.seconds or self.received_at >= requested_at


def log_in(http: HttpClients, access: ApiAccess, deadline: Deadline) -> AccessToken:
    """Log in and return the token. Raises DeliveryError. Its result says whether the failure is permanent."""
    user = {"phone": access.phone, "password": access.password.get_secret_value()}
    response = _post_login(http, access.api_url + LOGIN_PATH, {"user": user}, deadline)
    if response.status != 200:
        raise DeliveryError(_result_of_refusal(response))
    data = _read_data(response.json())
    token = data.get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise DeliveryError(temporary_failure(NOT_GLIFIC))
    return AccessToken(token, _token_seconds(data.get("token_expiry_time")))


def _post_login(http: HttpClients, url: str, login: Any, deadline: Deadline) -> HttpResponse:
    """Send the login. Raises DeliveryError without `possibly_delivered`, because no result was sent yet."""
    try:
        return http.post(url, login, deadline)
    except DeliveryError as error:
        raise DeliveryError(DeliveryResult(error.result.status, error.result.message)) from None


def _result_of_refusal(response: HttpResponse) -> DeliveryResult:
    known = {401: WRONG_LOGIN, 403: SUSPENDED}
    if response.status in known:
        return known[response.status]
    if response.status == 429:
        wait = MAX_RETRY_AFTER_SECONDS if response.retry_after is None else response.retry_after
        return temporary_failure(LOGIN_RATE_LIMITED, retry_after=wait)
    result = responses.interpret_status(response)
    is_refused = result.status is DeliveryStatus.REFUSED and response.status >= 400
    return refusal(NOT_GLIFIC) if is_refused else result


def _read_data(document: Any) -> dict[str, Any]:
    data = document.get("data") if isinstance(document, dict) else None
    return data if isinstance(data, dict) else {}


def _token_seconds(expiry: Any) -> float:
    """Return the seconds until a minute before an ISO 8601 time.

    A time in the past means that one of the two clocks is wrong, so the default lifetime is used.
    """
    try:
        end = datetime.fromisoformat(expiry)
        left = ((end if end.tzinfo else end.replace(tzinfo=UTC)) - now()).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return DEFAULT_TOKEN_SECONDS
    return max(0.0, left - RENEW_BEFORE_EXPIRY_SECONDS) if left > 0 else DEFAULT_TOKEN_SECONDS
