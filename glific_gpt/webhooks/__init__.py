"""The webhook that Glific calls."""

from glific_gpt.webhooks.responses import respond_to_http_error, respond_with_error
from glific_gpt.webhooks.routes import blueprint

__all__ = ["blueprint", "respond_to_http_error", "respond_with_error"]
