"""One plain GET inside a deadline: what is at an address, and what time it is there."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from glific_gpt.clock import Deadline
from glific_gpt.http_client import DeadlineTransport, UnledClient, unverified, within

LONGEST_BODY = 10_000
"""Bytes that are read; what answers as it should says less."""


class Unreachable(Exception):
    """Nothing answered in time."""


@dataclass(frozen=True)
class Page:
    """What answered."""

    status: int
    body: bytes
    date: datetime | None
    """Its own time, from the header of that name."""


def get(url: str, deadline: Deadline) -> Page:
    """Follows no redirect and checks no certificate, as Glific does not. Raises Unreachable."""
    with within(deadline), UnledClient(DeadlineTransport(unverified())) as client:
        try:
            return _page(client, url)
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
            raise Unreachable from error


def _page(client: httpx2.Client, url: str) -> Page:
    with client.stream("GET", url, timeout=None, headers={"accept-encoding": "identity"}) as response:
        body = b""
        for some in response.iter_raw():
            body += some
            if len(body) > LONGEST_BODY:
                break
    return Page(response.status_code, body, _date(response.headers))


def _date(headers: Any) -> datetime | None:
    try:
        date = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
