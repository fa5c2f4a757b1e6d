"""Simulated conversations that call webhooks over real sockets."""

from typing import Any

from glific_gpt.flows.simulator import Conversation
from glific_gpt.operations.ready_flows.http_sender import HttpSender


def simulate(export: Any, **options: Any) -> Conversation:
    """Return a conversation with the flows of an export, which has not started."""
    return Conversation(export, send=HttpSender(), **options)
