"""The webhook of the administrators: one message in the format of Slack, which Mattermost and others accept too."""

from collections.abc import Iterator, Mapping

import httpx2
import structlog

from glific_gpt.clock import Deadline
from glific_gpt.network.http_client import DeadlineTransport, NoRedirectClient, deadline_scope, read_body, tls_context
from glific_gpt.runtime.event_loop import blocking

TIMEOUT_SECONDS = 5.0
MAX_REPLY_BYTES = 10_000
MAX_CHARACTERS = 4000
"""Length that Slack recommends (https://docs.slack.dev/messaging/formatting-message-text). It cuts messages at 40,000
characters, and an older Mattermost refuses more than 4,000."""

log = structlog.get_logger()


_QUOTED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "@\N{WORD JOINER}"})
"""Slack reads <!channel> and <URL|text> (https://docs.slack.dev/messaging/formatting-message-text), and Mattermost
reads @channel."""


def quote(name: str) -> str:
    """Return a name that people chose, on one line, so that it mentions nobody and looks like no other message."""
    return " ".join(name.split()).translate(_QUOTED)


def pack(lines_of: Mapping[int, list[str]]) -> Iterator[tuple[str, list[int]]]:
    """Yield messages of at most MAX_CHARACTERS with the lines, and the organizations of each message.

    The lines of one organization stay together. They are longer than a message only if its name is, and are then cut.
    """
    message, organizations = "", list[int]()
    for organization_id, lines in lines_of.items():
        text = "\n".join(lines)[:MAX_CHARACTERS]
        if message and len(message) + 1 + len(text) > MAX_CHARACTERS:
            yield message, organizations
            message, organizations = "", []
        message = f"{message}\n{text}" if message else text
        organizations.append(organization_id)
    if message:
        yield message, organizations


@blocking
def post(url: str, text: str) -> bool:
    """Send the message, and return whether it was accepted. A failure is logged without the address, a secret."""
    deadline = Deadline.after(TIMEOUT_SECONDS)
    with NoRedirectClient(DeadlineTransport(tls_context())) as client, deadline_scope(deadline):
        try:
            with client.stream("POST", url, json={"text": text}, timeout=TIMEOUT_SECONDS) as response:
                read_body(response, MAX_REPLY_BYTES)
                reason = "" if response.is_success else f"status {response.status_code}"
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as failure:
            reason = type(failure).__name__
    if reason:
        log.error("alert_webhook_failed", reason=reason)
    return not reason
