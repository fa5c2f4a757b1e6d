"""The door that Glific knocks on."""

from glific_gpt.webhooks.responses import reply_to_http_error, reply_to_stranger
from glific_gpt.webhooks.routes import blueprint

__all__ = ["blueprint", "reply_to_http_error", "reply_to_stranger"]
