"""What OpenAI has taught this process about models; it spares the next call a second try."""

from threading import Lock

from glific_gpt.openai.failures import Refusal
from glific_gpt.openai.requests import CHAT, RESPONSES, Body
from glific_gpt.openai.traits import responses_only

OPTIONAL = {"temperature", "max_completion_tokens", "max_output_tokens"}
"""Parameters without which an answer is still an answer to what was asked."""

MAX_MODELS = 1000
"""Organizations name models as they like; what is remembered must not grow with that for ever."""


class Learned:
    """Facts about models, the same for every organization; kept in memory, so a restart asks once again."""

    def __init__(self) -> None:
        self._dropped: dict[str, frozenset[str]] = {}
        self._responses_only: set[str] = set()
        self._lock = Lock()

    def path(self, model: str) -> str:
        """Where this model is served."""
        return RESPONSES if model in self._responses_only or responses_only(model) else CHAT

    def dropped(self, model: str) -> frozenset[str]:
        """Parameters that this model does not take."""
        return self._dropped.get(model, frozenset())

    def from_refusal(self, model: str, path: str, body: Body, refusal: Refusal) -> bool:
        """Whether the same question, put differently now, may be answered."""
        with self._lock:
            self._forget_when_full()
            if refusal.wants_responses and path == CHAT:
                self._responses_only.add(model)
                return True
            if refusal.unsupported in OPTIONAL & body.keys():
                self._dropped[model] = self.dropped(model) | {refusal.unsupported}
                return True
            return False

    def _forget_when_full(self) -> None:
        if len(self._dropped) + len(self._responses_only) >= MAX_MODELS:
            self._dropped.clear()
            self._responses_only.clear()
