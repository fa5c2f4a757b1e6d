"""HTTP requests to Glific: within a deadline, without following redirects, and with a limit of the body size."""

import json
import ssl
import threading
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

import httpx2
from pydantic import JsonValue

from glific_gpt.clock import Deadline, now
from glific_gpt.glific.resumption import (
    MAX_RETRY_AFTER_SECONDS,
    DeliveryError,
    DeliveryResult,
    DeliveryStatus,
    refusal,
)
from glific_gpt.network.http_client import (
    AddressPolicy,
    AddressRefused,
    DeadlineTransport,
    NoRedirectClient,
    Resolver,
    deadline_scope,
    read_body,
)

MAX_BODY_BYTES = 1024 * 1024
"""Limit of the response body."""

UNREACHABLE = "Glific could not be reached at this address. Check the address, or try again in a minute."
TIMED_OUT = "Glific did not answer in time. Try again in a minute."
CONNECTION_LOST = "The connection to Glific was lost before it answered. Try again in a minute."
PRIVATE_ADDRESS = "The address of the Glific API leads to a private network, so nothing was sent. Check the address."

# Identity, because a small compressed body can decompress to any size.
_HEADERS = {"content-type": "application/json", "accept": "application/json", "accept-encoding": "identity"}
# After these errors Glific cannot have received the whole request. A LocalProtocolError is raised before sending.
_NOT_SENT_ERRORS = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.WriteError,
    httpx2.WriteTimeout,
    httpx2.LocalProtocolError,
)


@dataclass(frozen=True)
class HttpResponse:
    """A complete response. The body is never shown or logged, because it can contain names and phone numbers."""

    status: int
    body: bytes | None = field(repr=False)
    """None if the body was larger than MAX_BODY_BYTES."""
    retry_after: float | None = None
    """Seconds, from the Retry-After header; at most MAX_RETRY_AFTER_SECONDS."""

    def json(self) -> Any:
        """Return the decoded body, or None if it is not JSON."""
        try:
            return json.loads(self.body or b"")
        except (ValueError, RecursionError):
            return None


class HttpClients(threading.local):
    """One HTTP client per thread, because threads that share a connection pool wait for its lock."""

    def __init__(self, context: ssl.SSLContext, allows: AddressPolicy, resolve: Resolver) -> None:
        self.client = NoRedirectClient(DeadlineTransport(context, allows, resolve))

    def get(self, url: str, deadline: Deadline) -> HttpResponse:
        """Send a GET request. Raises DeliveryError if no complete response arrives."""
        return self._send(self.client.build_request("GET", url, timeout=None), deadline)

    def post(self, url: str, value: JsonValue, deadline: Deadline, *, authorization: str | None = None) -> HttpResponse:
        """Send a POST request with JSON. Raises DeliveryError if no complete response arrives."""
        headers = _HEADERS | ({"authorization": authorization} if authorization else {})
        # json.dumps escapes to ASCII, so that a lone surrogate in a model's text cannot fail the encoding.
        content = json.dumps(value).encode()
        request = self.client.build_request("POST", url, content=content, headers=headers, timeout=None)
        return self._send(request, deadline)

    def _send(self, request: httpx2.Request, deadline: Deadline) -> HttpResponse:
        try:
            with deadline_scope(deadline):
                return self._read_response(request)
        except httpx2.HTTPError as error:
            raise DeliveryError(_result_of_error(error)) from None

    def _read_response(self, request: httpx2.Request) -> HttpResponse:
        response = self.client.send(request, stream=True)
        try:
            body = read_body(response, MAX_BODY_BYTES)
        finally:
            response.close()
        return HttpResponse(response.status_code, body, _parse_retry_after(response.headers.get("retry-after")))


def _result_of_error(error: httpx2.HTTPError) -> DeliveryResult:
    if isinstance(error.__cause__, AddressRefused):
        return refusal(PRIVATE_ADDRESS)
    was_sent = not isinstance(error, _NOT_SENT_ERRORS)
    if isinstance(error, httpx2.TimeoutException):
        return DeliveryResult(DeliveryStatus.TRY_LATER, TIMED_OUT, possibly_delivered=was_sent)
    message = CONNECTION_LOST if was_sent else UNREACHABLE
    return DeliveryResult(DeliveryStatus.TRY_LATER, message, possibly_delivered=was_sent)


def _parse_retry_after(header: str | None) -> float | None:
    """Return the seconds of a Retry-After header, which is a number or a date (RFC 9110, 10.2.3)."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        return _seconds_until(header)
    return min(max(0.0, seconds), MAX_RETRY_AFTER_SECONDS) if isfinite(seconds) else None


def _seconds_until(date: str) -> float | None:
    try:
        seconds = (parsedate_to_datetime(date) - now()).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0.0, seconds), MAX_RETRY_AFTER_SECONDS)
