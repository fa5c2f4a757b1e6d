"""Capabilities of models that OpenAI's refusals revealed, so that later calls need no second request."""

import hashlib
import secrets
import time
from collections import OrderedDict
from threading import Lock

from pydantic import SecretStr

from glific_gpt.openai.adaptations import UNCHANGED, Adaptations

MAX_LEARNED_MODELS = 1000
"""Callers choose model names freely, so the memory for them must be limited."""
EXPIRY_SECONDS = 3600.0
"""A model can change. A call in each hour finds out, at the cost of one refused request."""


class LearnedCapabilities:
    """Thread-safe memory of adaptations that made a model answer. It is lost at a restart.

    It is kept for each key separately. One organization's key may reach another model under the same name, or have
    other rights, so its refusals say nothing about the calls of other organizations.
    """

    def __init__(self) -> None:
        self._learned: OrderedDict[bytes, tuple[float, Adaptations]] = OrderedDict()
        self._lock = Lock()
        self._salt = secrets.token_bytes(16)  # so that the memory of the process holds no plain hash of a key

    def find(self, api_key: SecretStr, model: str) -> Adaptations:
        """Return the adaptations that this key has learned for the model in the last hour."""
        if not self._learned:  # almost always: the rules in `traits.py` know the usual models
            return UNCHANGED
        learned_at, adaptations = self._learned.get(self._entry(api_key, model), (0.0, UNCHANGED))
        return adaptations if time.monotonic() - learned_at < EXPIRY_SECONDS else UNCHANGED

    def learn(self, api_key: SecretStr, model: str, adaptations: Adaptations) -> None:
        """Remember adaptations with which OpenAI has just answered. The oldest entry is dropped when it is full."""
        entry = self._entry(api_key, model)
        with self._lock:
            self._learned.pop(entry, None)
            self._learned[entry] = (time.monotonic(), adaptations)
            if len(self._learned) > MAX_LEARNED_MODELS:
                self._learned.popitem(last=False)

    def _entry(self, api_key: SecretStr, model: str) -> bytes:
        # The key contains no spaces, and its length is mixed in by the space.
        text = f"{api_key.get_secret_value()} {model}"
        return hashlib.blake2b(text.encode(), key=self._salt, digest_size=16).digest()
