"""The JSON API, for administrators and organizations."""

from glific_gpt.api import calls, credentials, glific, models, organizations, tokens
from glific_gpt.api.blueprint import DESCRIPTION, blueprint
from glific_gpt.api.documentation import documents
from glific_gpt.api.problems import problem_response, respond_to_http_error

__all__ = ["DESCRIPTION", "blueprint", "documents", "problem_response", "respond_to_http_error"]

ROUTE_MODULES = (organizations, credentials, glific, tokens, models, calls)
"""Each module adds its routes to the blueprint when it is imported."""
