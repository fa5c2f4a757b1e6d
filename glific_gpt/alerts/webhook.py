"""The webhook of the administrators: one message in the format of Slack, which Mattermost and others accept too."""

import httpx2
import structlog

from glific_gpt.clock import Deadline
from glific_gpt.network.http_client import DeadlineTransport, NoRedirectClient, deadline_scope, read_body, tls_context
from glific_gpt.runtime.bridge import blocking

TIMEOUT_SECONDS = 5.0
MAX_REPLY_BYTES = 10_000
MAX_CHARACTERS = 20_000
"""Slack cuts messages at 40,000 characters (https://api.slack.com/reference/messaging/payload)."""

log = structlog.get_logger()


_QUOTED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "@\N{WORD JOINER}"})
"""Slack reads <!channel> and <URL|text> (https://docs.slack.dev/messaging/formatting-message-text), and Mattermost
reads @channel."""


def quote(name: str) -> str:
    """Return a name that people chose, on one line, so that it mentions nobody and looks like no other message."""
    return " ".join(name.split()).translate(_QUOTED)


@blocking
def post(url: str, text: str) -> bool:
    """Send the message, and return whether it was accepted. A failure is logged without the address, a secret."""
    deadline = Deadline.after(TIMEOUT_SECONDS)
    with NoRedirectClient(DeadlineTransport(tls_context())) as client, deadline_scope(deadline):
        try:
            with client.stream("POST", url, json={"text": text[:MAX_CHARACTERS]}, timeout=TIMEOUT_SECONDS) as response:
                read_body(response, MAX_REPLY_BYTES)
                reason = "" if response.is_success else f"status {response.status_code}"
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as failure:
            reason = type(failure).__name__
    if reason:
        log.error("alert_webhook_failed", reason=reason)
    return not reason
