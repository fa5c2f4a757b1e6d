"""Logging in to Glific's API: one request, and the token that it gives."""

import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from glific_gpt.clock import Deadline, now
from glific_gpt.glific import replies
from glific_gpt.glific.http import HttpClients, HttpReply
from glific_gpt.glific.resume import LONGEST_RETRY_AFTER, ApiAccess, Reply, Undelivered, Verdict, refused, try_later

PATH = "/api/v1/session"
USUAL_SECONDS = 25 * 60.0
"""How long a token is used whose end cannot be read; Glific's live for half an hour."""
EARLY_SECONDS = 60.0
"""A token is renewed that long before its end."""

WRONG_LOGIN = refused("Glific does not accept this phone number and password: check both, and connect it again.")
SUSPENDED = refused("Glific has suspended this organization or its login: ask Glific's support.")
NO_GLIFIC = "What answers at this address does not log in as Glific does: check the address of the API."
TOO_OFTEN = "Glific allows no more logins for the moment: it is asked again in a minute."

# What an HTTP header can hold.
_TOKEN = re.compile(r"[!-~]{1,8192}")


@dataclass(frozen=True)
class Token:
    """What opens the API."""

    value: str = field(repr=False)
    seconds: float
    """How long it should be used; none at all when it ends within a minute."""
    got_at: float = field(default_factory=time.monotonic)

    def is_usable(self, asked: float) -> bool:
        """Whether a thread that asked at that monotonic moment may use it: one that came since was got for it too."""
        return time.monotonic() < self.got_at + self.seconds or self.got_at >= asked


def log_in(http: HttpClients, access: ApiAccess, deadline: Deadline) -> Token:
    """Raises Undelivered, whose verdict tells what will pass from what will not."""
    user = {"phone": access.phone, "password": access.password.get_secret_value()}
    reply = _asked(http, access.api_url + PATH, {"user": user}, deadline)
    if reply.status != 200:
        raise Undelivered(_refusal(reply))
    data = _data(reply.json())
    token = data.get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise Undelivered(try_later(NO_GLIFIC))
    return Token(token, _seconds(data.get("token_expiry_time")))


def _asked(http: HttpClients, url: str, login: Any, deadline: Deadline) -> HttpReply:
    """Raises Undelivered that knows: whatever happens at the login, no resumption can have arrived."""
    try:
        return http.post(url, login, deadline)
    except Undelivered as failed:
        raise Undelivered(Verdict(failed.verdict.reply, failed.verdict.said)) from None


def _refusal(reply: HttpReply) -> Verdict:
    known = {401: WRONG_LOGIN, 403: SUSPENDED}
    if reply.status in known:
        return known[reply.status]
    if reply.status == 429:
        wait = LONGEST_RETRY_AFTER if reply.retry_after is None else reply.retry_after
        return try_later(TOO_OFTEN, retry_after=wait)
    verdict = replies.of_status(reply)
    return refused(NO_GLIFIC) if verdict.reply is Reply.REFUSED and reply.status >= 400 else verdict


def _data(document: Any) -> dict[str, Any]:
    data = document.get("data") if isinstance(document, dict) else None
    return data if isinstance(data, dict) else {}


def _seconds(expiry: Any) -> float:
    """Until a minute before an ISO 8601 moment. One that has passed tells of a wrong clock, here or there."""
    try:
        end = datetime.fromisoformat(expiry)
        left = ((end if end.tzinfo else end.replace(tzinfo=UTC)) - now()).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return USUAL_SECONDS
    return max(0.0, left - EARLY_SECONDS) if left > 0 else USUAL_SECONDS
