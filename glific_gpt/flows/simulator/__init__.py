"""Simulate a conversation with a flow as Glific runs it: replies go in, messages and webhook calls come out."""

from glific_gpt.flows.simulator.context import Contact, GlificOrganization
from glific_gpt.flows.simulator.conversation import Conversation
from glific_gpt.flows.simulator.event_log import Problem, ProblemCode, TranscriptLine, WebhookCall
from glific_gpt.flows.simulator.outcomes import SendWebhook, WebhookRequest, WebhookResponse

__all__ = [
    "Contact",
    "Conversation",
    "GlificOrganization",
    "Problem",
    "ProblemCode",
    "SendWebhook",
    "TranscriptLine",
    "WebhookCall",
    "WebhookRequest",
    "WebhookResponse",
]
