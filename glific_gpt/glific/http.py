"""One request to Glific and its reply: inside the deadline, no redirect followed, no body without end."""

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
from glific_gpt.glific.resume import LONGEST_RETRY_AFTER, Reply, Undelivered, Verdict, refused
from glific_gpt.http_client import AddressPolicy, AddressRefused, DeadlineTransport, Resolver, UnledClient, within

LONGEST_BODY = 1024 * 1024
"""Bytes of a reply that are read."""

UNREACHABLE = "Glific could not be reached at this address: check it, or try again in a minute."
TOO_LATE = "Glific did not answer in time: try again in a minute."
BROKEN_OFF = "The connection to Glific broke off before it had answered: try again in a minute."
INSIDE = "The address of the Glific API leads into a private network, so nothing was sent: check the address."

# Identity, as a small compressed body can unpack to any size.
_HEADERS = {"content-type": "application/json", "accept": "application/json", "accept-encoding": "identity"}
# After these Glific cannot have had the whole request; a LocalProtocolError is our own.
_UNSENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.WriteError,
    httpx2.WriteTimeout,
    httpx2.LocalProtocolError,
)


@dataclass(frozen=True)
class HttpReply:
    """A whole reply; its body is never shown, as it may hold names and numbers."""

    status: int
    body: bytes | None = field(repr=False)
    """None when it was over LONGEST_BODY."""
    retry_after: float | None = None
    """Seconds, from the header of that name; at most LONGEST_RETRY_AFTER."""

    def json(self) -> Any:
        """The decoded body; None for what is no JSON."""
        try:
            return json.loads(self.body or b"")
        except (ValueError, RecursionError):
            return None


class HttpClients(threading.local):
    """A client for each thread: one pool that many share makes each wait for its lock."""

    def __init__(self, context: ssl.SSLContext, allows: AddressPolicy, resolve: Resolver) -> None:
        self.client = UnledClient(DeadlineTransport(context, allows, resolve))

    def get(self, url: str, deadline: Deadline) -> HttpReply:
        """Raises Undelivered when no whole reply came."""
        return self._ask(self.client.build_request("GET", url, timeout=None), deadline)

    def post(self, url: str, value: JsonValue, deadline: Deadline, *, authorization: str | None = None) -> HttpReply:
        """Sends JSON. Raises Undelivered when no whole reply came."""
        headers = _HEADERS | ({"authorization": authorization} if authorization else {})
        # In ASCII, so that no text that a model wrote can fail to be encoded.
        content = json.dumps(value).encode()
        request = self.client.build_request("POST", url, content=content, headers=headers, timeout=None)
        return self._ask(request, deadline)

    def _ask(self, request: httpx2.Request, deadline: Deadline) -> HttpReply:
        try:
            with within(deadline):
                return self._reply(request)
        except httpx2.HTTPError as error:
            raise Undelivered(_verdict(error)) from None

    def _reply(self, request: httpx2.Request) -> HttpReply:
        response = self.client.send(request, stream=True)
        try:
            body = _read(response)
        finally:
            response.close()
        return HttpReply(response.status_code, body, _retry_after(response.headers.get("retry-after")))


def _read(response: httpx2.Response) -> bytes | None:
    body = b""
    for some in response.iter_raw():
        body += some
        if len(body) > LONGEST_BODY:
            return None
    return body


def _verdict(error: httpx2.HTTPError) -> Verdict:
    if isinstance(error.__cause__, AddressRefused):
        return refused(INSIDE)
    arrived = not isinstance(error, _UNSENT)
    if isinstance(error, httpx2.TimeoutException):
        return Verdict(Reply.TRY_LATER, TOO_LATE, may_have_arrived=arrived)
    return Verdict(Reply.TRY_LATER, BROKEN_OFF if arrived else UNREACHABLE, may_have_arrived=arrived)


def _retry_after(header: str | None) -> float | None:
    """A number of seconds, or a date (RFC 9110, 10.2.3)."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        return _until(header)
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER) if isfinite(seconds) else None


def _until(date: str) -> float | None:
    try:
        seconds = (parsedate_to_datetime(date) - now()).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER)
