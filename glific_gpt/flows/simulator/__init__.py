"""A conversation with a flow as Glific runs it: what a person types, what is called, what WhatsApp shows."""

from glific_gpt.flows.simulator.conversation import Conversation
from glific_gpt.flows.simulator.event_log import Line, Trouble, TroubleCode, WebhookCall
from glific_gpt.flows.simulator.people import Contact, Organization

__all__ = ["Contact", "Conversation", "Line", "Organization", "Trouble", "TroubleCode", "WebhookCall"]
