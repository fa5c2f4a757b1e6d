"""A webhook's request on its way over a socket, with Glific's patience (glific/glific: Flows.Webhooks.Request)."""

import time
from dataclasses import dataclass, field

import httpx2

from glific_gpt.clock import Deadline
from glific_gpt.flows.simulator.outcomes import Call
from glific_gpt.http_client import AddressPolicy, AddressRefused, DeadlineTransport, UnledClient, unverified, within

CONNECT_SECONDS = 5.0
RECEIVE_SECONDS = {"POST": 5.0, "GET": 10.0}
LONGEST_ANSWER = 4 * 1024 * 1024
"""Bytes; Glific has no limit."""

TIMED_OUT = ":timeout"
"""What Glific's Webhook Logs say."""
UNREACHABLE = "The address cannot be reached: check the host, and that the server is up."
BROKEN_OFF = "The connection broke off before the answer had come."
REFUSED = "The address leads into a private network: nothing was sent."
NOT_SENT = "The address or a header is not one that can be sent."


@dataclass(frozen=True)
class Answer:
    """What came back."""

    seconds: float
    status: int | None = None
    body: bytes = field(default=b"", repr=False)
    error: str = ""
    """Why no whole answer came."""


def call(this: Call, allows: AddressPolicy | None) -> Answer:
    """Sends it once. It never raises: whatever happens is an answer."""
    begun = time.monotonic()
    try:
        response, body = _sent(this, allows)
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, TypeError) as error:
        return Answer(time.monotonic() - begun, error=_why(error))
    return Answer(time.monotonic() - begun, response.status_code, body)


def leads_to(url: str, server: str) -> bool:
    """Whether a call of that address goes to that server, read by what sends it."""
    try:
        here, there = httpx2.URL(url), httpx2.URL(server)
    except (httpx2.InvalidURL, ValueError, TypeError):
        return False
    same = (here.scheme, here.host, _port(here)) == (there.scheme, there.host, _port(there))
    return same and here.path.startswith(there.path.rstrip("/") + "/")


def _port(url: httpx2.URL) -> int | None:
    return url.port or {"http": 80, "https": 443}.get(url.scheme)


def _sent(this: Call, allows: AddressPolicy | None) -> tuple[httpx2.Response, bytes]:
    receive = RECEIVE_SECONDS[this.method]
    timeout = httpx2.Timeout(receive, connect=CONNECT_SECONDS)
    with UnledClient(DeadlineTransport(unverified(), allows)) as client, within(Deadline.after(5 + receive)):
        # As Glific sends it: no headers besides the node's own, and its signature.
        client.headers.clear()
        request = client.build_request(
            this.method, this.url, content=this.body or None, headers=_headers(this), timeout=timeout
        )
        response = client.send(request, stream=True)
        try:
            return response, _read(response)
        finally:
            response.close()


def _headers(this: Call) -> dict[str, str]:
    usual = {"content-type": "application/octet-stream"} if this.method == "POST" else {}
    named = {name.lower(): value for name, value in this.headers.items()}
    return usual | named | {"x-glific-signature": this.signature.get_secret_value()}


def _read(response: httpx2.Response) -> bytes:
    body = b""
    for some in response.iter_raw():
        body += some
        if len(body) > LONGEST_ANSWER:
            raise httpx2.ReadError("too long")
    return body


def _why(error: Exception) -> str:
    if isinstance(error.__cause__, AddressRefused):
        return REFUSED
    if isinstance(error, httpx2.TimeoutException):
        return TIMED_OUT
    if isinstance(error, httpx2.ConnectError):
        return UNREACHABLE
    unsent = (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)
    if isinstance(error, unsent) or not isinstance(error, httpx2.HTTPError):
        return NOT_SENT
    return BROKEN_OFF
