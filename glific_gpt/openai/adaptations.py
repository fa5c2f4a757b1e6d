"""Changes to a request after OpenAI's refusal, so that the same question may succeed."""

from dataclasses import dataclass, replace

from glific_gpt.openai.error_mapping import ApiRefusal
from glific_gpt.openai.request_bodies import CHAT_PATH, RESPONSES_PATH, TOKEN_LIMITS, JsonObject
from glific_gpt.openai.traits import is_responses_only

OPTIONAL_PARAMETERS = {"temperature"} | TOKEN_LIMITS
"""Parameters that can be left out without changing the question."""


@dataclass(frozen=True)
class Adaptations:
    """Differences from the request that the model's id suggests."""

    responses_api: bool = False
    """True if the Responses API is asked although the id suggests Chat Completions."""
    omitted: frozenset[str] = frozenset()
    """Parameters that are not sent."""
    is_general: bool = True
    """False if a refusal was about a value that the caller chose, so that it says nothing about other calls."""

    def path_for(self, model: str) -> str:
        """Return the path of the endpoint to ask."""
        return RESPONSES_PATH if self.responses_api or is_responses_only(model) else CHAT_PATH

    def after(self, refusal: ApiRefusal, path: str, body: JsonObject) -> "Adaptations | None":
        """Return the adaptations for another attempt at the same question; None if another attempt is useless.

        `path` and `body` are those of the refused request. Each result differs from the one before it by one step, so
        the number of attempts is limited.
        """
        if refusal.wants_responses_api and path == CHAT_PATH:
            return replace(self, responses_api=True)
        name = refusal.unsupported_parameter
        if name in OPTIONAL_PARAMETERS & body.keys():
            # A model that refuses one temperature accepts none, and token limits differ between models.
            is_general = self.is_general and (name == "temperature" or not refusal.is_about_value)
            return replace(self, omitted=self.omitted | {name}, is_general=is_general)
        return None


UNCHANGED = Adaptations()
