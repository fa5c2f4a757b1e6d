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
        self._learned: dict[bytes, OrderedDict[str, tuple[float, Adaptations]]] = {}
        """Adaptations by the hash of the key, and then by the model, oldest first. No key has an empty entry."""
        self._lock = Lock()
        self._salt = secrets.token_bytes(16)  # so that the memory of the process holds no plain hash of a key

    def find(self, api_key: SecretStr, model: str) -> Adaptations:
        """Return the adaptations that this key has learned for the model in the last hour."""
        if not self._learned:  # almost always: the rules in `traits.py` know the usual models
            return UNCHANGED
        of_key = self._learned.get(self._hash(api_key), OrderedDict())
        learned_at, adaptations = of_key.get(model, (0.0, UNCHANGED))
        return adaptations if time.monotonic() - learned_at < EXPIRY_SECONDS else UNCHANGED

    def learn(self, api_key: SecretStr, model: str, adaptations: Adaptations) -> None:
        """Remember adaptations with which OpenAI has just answered.

        When the memory is full, the key with the most entries loses its oldest one. So no key displaces the entries of
        another.
        """
        with self._lock:
            of_key = self._learned.setdefault(self._hash(api_key), OrderedDict())
            of_key.pop(model, None)
            of_key[model] = (time.monotonic(), adaptations)
            if sum(map(len, self._learned.values())) > MAX_LEARNED_MODELS:
                self._drop_one()

    def _drop_one(self) -> None:
        largest = max(self._learned, key=lambda key: len(self._learned[key]))
        self._learned[largest].popitem(last=False)
        if not self._learned[largest]:
            del self._learned[largest]

    def _hash(self, api_key: SecretStr) -> bytes:
        return hashlib.blake2b(api_key.get_secret_value().encode(), key=self._salt, digest_size=16).digest()
