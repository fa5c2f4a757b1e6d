"""A conversation with a flow as Glific runs it: what a person types, what is called, what WhatsApp shows."""

from glific_gpt.simulator.conversation import Conversation
from glific_gpt.simulator.diary import Line, Trouble, TroubleCode, WebhookCall
from glific_gpt.simulator.people import Contact, Organization

__all__ = ["Contact", "Conversation", "Line", "Organization", "Trouble", "TroubleCode", "WebhookCall"]
