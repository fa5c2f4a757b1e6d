"""A GET request with a deadline, for checks of other servers."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from glific_gpt.clock import Deadline
from glific_gpt.network.http_client import (
    DeadlineTransport,
    NoRedirectClient,
    deadline_scope,
    read_body,
    unverified_tls_context,
)

MAX_BODY_BYTES = 10_000
"""Enough for every expected response. A longer one counts as empty."""


class Unreachable(Exception):
    """There was no response before the deadline."""


@dataclass(frozen=True)
class HttpResponse:
    """The parts of a response that checks need."""

    status: int
    body: bytes
    date: datetime | None
    """The server's time, from the header Date."""


def get(url: str, deadline: Deadline) -> HttpResponse:
    """Send a GET request. Like Glific, follow no redirect and verify no certificate. Raises Unreachable."""
    with deadline_scope(deadline), NoRedirectClient(DeadlineTransport(unverified_tls_context())) as client:
        try:
            return _get(client, url)
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
            raise Unreachable from error


def _get(client: httpx2.Client, url: str) -> HttpResponse:
    # Without time-outs of httpx2, which start again with every byte: the transport checks the deadline. Not compressed,
    # so that the limit of the body also limits the memory.
    with client.stream("GET", url, timeout=None, headers={"accept-encoding": "identity"}) as response:
        body = read_body(response, MAX_BODY_BYTES)
    return HttpResponse(response.status_code, body or b"", _parse_date(response.headers))


def _parse_date(headers: Any) -> datetime | None:
    try:
        date = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    # Python returns a time without a time zone for the zone -0000, which is UTC (RFC 5322, 3.3).
    return date if date.tzinfo else date.replace(tzinfo=UTC)
