"""Send the webhook requests of simulated flows over HTTP, as Glific does (glific/glific: Flows.Webhooks.Request)."""

import time
from dataclasses import dataclass

import httpx2

from glific_gpt.clock import Deadline
from glific_gpt.flows.simulator import WebhookRequest, WebhookResponse
from glific_gpt.network.http_client import (
    FRAMING_BYTES,
    AddressPolicy,
    AddressRefused,
    DeadlineTransport,
    NoRedirectClient,
    deadline_scope,
    read_body,
    unverified_tls_context,
)

# Glific's own time-outs.
CONNECT_TIMEOUT_SECONDS = 5.0
RECEIVE_TIMEOUT_SECONDS = {"POST": 5.0, "GET": 10.0}
MAX_RESPONSE_BYTES = 4 * 1024 * 1024
"""Glific has no limit; this one protects the server's memory."""

MSG_TIMED_OUT = ":timeout"
"""The text in Glific's Webhook Logs."""
MSG_UNREACHABLE = "The address cannot be reached. Check the host name, and whether the server runs."
MSG_BROKEN_OFF = "The connection broke off before the response was complete. Check the server's log."
MSG_REFUSED = "The address leads into a private network, so nothing was sent. Use a public address."
MSG_NOT_SENT = "The address or a header is invalid, so nothing was sent. Correct them in the webhook node."


@dataclass(frozen=True)
class HttpSender:
    """Sends webhook requests; an instance is the `send` of a `Conversation`."""

    address_policy: AddressPolicy | None = None
    """Limits the addresses that may be called; None allows all."""

    def __call__(self, request: WebhookRequest) -> WebhookResponse:
        """Send the request once. Never raises: an error is part of the response."""
        started = time.monotonic()
        try:
            status, body = self._send(request)
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, TypeError) as error:
            return WebhookResponse(time.monotonic() - started, error=_describe_error(error))
        return WebhookResponse(time.monotonic() - started, status, body)

    def _send(self, request: WebhookRequest) -> tuple[int, bytes]:
        receive_seconds = RECEIVE_TIMEOUT_SECONDS[request.method]
        timeout = httpx2.Timeout(receive_seconds, connect=CONNECT_TIMEOUT_SECONDS)
        deadline = Deadline.after(CONNECT_TIMEOUT_SECONDS + receive_seconds)
        # Glific does not verify certificates.
        limit = MAX_RESPONSE_BYTES + FRAMING_BYTES
        transport = DeadlineTransport(unverified_tls_context(), self.address_policy, max_received_bytes=limit)
        with NoRedirectClient(transport) as client, deadline_scope(deadline):
            # Glific sends the node's own headers and its signature only.
            client.headers.clear()
            http_request = client.build_request(
                request.method, request.url, content=request.body or None, headers=_headers(request), timeout=timeout
            )
            response = client.send(http_request, stream=True)
            try:
                return response.status_code, _read_body(response)
            finally:
                response.close()


def _headers(request: WebhookRequest) -> dict[str, str]:
    default = {"content-type": "application/octet-stream"} if request.method == "POST" else {}
    headers = {name.lower(): value for name, value in request.headers.items()}
    return default | headers | {"x-glific-signature": request.signature.get_secret_value()}


def _read_body(response: httpx2.Response) -> bytes:
    body = read_body(response, MAX_RESPONSE_BYTES)
    if body is None:
        raise httpx2.ReadError("the response is too long")
    return body


def _describe_error(error: Exception) -> str:
    if isinstance(error.__cause__, AddressRefused):
        return MSG_REFUSED
    if isinstance(error, httpx2.TimeoutException):
        return MSG_TIMED_OUT
    if isinstance(error, httpx2.ConnectError):
        return MSG_UNREACHABLE
    unsent = (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)
    if isinstance(error, unsent) or not isinstance(error, httpx2.HTTPError):
        return MSG_NOT_SENT
    return MSG_BROKEN_OFF
