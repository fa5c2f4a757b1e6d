"""Capabilities of models that OpenAI's refusals revealed, so that later calls need no second request."""

from threading import Lock

from glific_gpt.openai.error_mapping import ApiRefusal
from glific_gpt.openai.request_bodies import CHAT_PATH, RESPONSES_PATH, JsonObject
from glific_gpt.openai.traits import is_responses_only

OPTIONAL_PARAMETERS = {"temperature", "max_completion_tokens", "max_output_tokens"}
"""Parameters that can be left out without changing the question."""

MAX_LEARNED_MODELS = 1000
"""Callers choose model names freely, so the memory for them must be limited."""


class LearnedCapabilities:
    """Thread-safe facts about models, shared by all organizations. They are kept in memory and lost at a restart."""

    def __init__(self) -> None:
        self._unsupported: dict[str, frozenset[str]] = {}
        self._responses_only: set[str] = set()
        self._lock = Lock()

    def path_for(self, model: str) -> str:
        """Return the path of the endpoint that serves this model."""
        return RESPONSES_PATH if model in self._responses_only or is_responses_only(model) else CHAT_PATH

    def unsupported_parameters(self, model: str) -> frozenset[str]:
        """Return the parameters that this model has refused."""
        # Without the lock: `learn` replaces the whole set, so a reader gets the old one or the new one.
        return self._unsupported.get(model, frozenset())

    def learn(self, model: str, path: str, body: JsonObject, refusal: ApiRefusal) -> bool:
        """Remember the cause of a refusal. Return True if the same question may now succeed in a changed request."""
        with self._lock:
            self._clear_when_full()
            if refusal.wants_responses_api and path == CHAT_PATH:
                self._responses_only.add(model)
                return True
            if refusal.unsupported_parameter in OPTIONAL_PARAMETERS & body.keys():
                self._unsupported[model] = self.unsupported_parameters(model) | {refusal.unsupported_parameter}
                return True
            return False

    def _clear_when_full(self) -> None:
        if len(self._unsupported) + len(self._responses_only) >= MAX_LEARNED_MODELS:
            self._unsupported.clear()
            self._responses_only.clear()
