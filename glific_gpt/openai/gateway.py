"""Requests to OpenAI: one answer or the list of models, with retries inside the deadline."""

import random
from dataclasses import dataclass, field

import openai
from pydantic import SecretStr

from glific_gpt import bridge
from glific_gpt.clock import Deadline
from glific_gpt.errors import DeadlineExceeded
from glific_gpt.openai import error_mapping, request_bodies, response_bodies
from glific_gpt.openai.capabilities import LearnedCapabilities
from glific_gpt.openai.chat import Answer, Question, Usage
from glific_gpt.openai.client import OpenAIClient, request_options
from glific_gpt.openai.error_mapping import ApiRefusal

MAX_ATTEMPTS = 3
MAX_DEFERRED_ATTEMPTS = 8
DEFERRED_THRESHOLD_SECONDS = 10.0
"""A call with more time left than this is a deferred one and waits until OpenAI's rate limits reset."""
BACKOFF_SECONDS = 0.25
MIN_ANSWER_SECONDS = 0.5
"""No model answers faster than this, so a request with less time left would be wasted."""


def next_delay(attempts: int, refusal: ApiRefusal | None, deadline: Deadline) -> float | None:
    """Return the seconds to wait before the next attempt, or None to give up.

    `attempts` is the number of attempts until now. `refusal` is None if the connection failed without a reply.
    """
    limit = MAX_DEFERRED_ATTEMPTS if deadline.remaining() > DEFERRED_THRESHOLD_SECONDS else MAX_ATTEMPTS
    if attempts >= limit or (refusal is not None and not refusal.is_temporary):
        return None
    requested = refusal.retry_after if refusal else None
    # At random, so that calls which failed together do not all try again together.
    backoff = BACKOFF_SECONDS * 2 ** (attempts - 1) * random.uniform(0.5, 1.0)  # noqa: S311
    delay = backoff if requested is None else requested
    return delay if delay + MIN_ANSWER_SECONDS < deadline.remaining() else None


class Gateway:
    """The OpenAI API at one base URL, shared by all organizations. Each call brings its own key."""

    def __init__(self, base_url: str) -> None:
        self._client = OpenAIClient(base_url)
        self._capabilities = LearnedCapabilities()

    def bind(self, api_key: SecretStr, model: str, deadline: Deadline) -> "BoundModel":
        """Return a model that a function can ask with this key until the deadline."""
        return BoundModel(self, api_key, model, deadline)

    def list_models(self, api_key: SecretStr, deadline: Deadline) -> list[str]:
        """Return the ids of the models that the key can use. The request is free. Raises GlificGptError."""
        try:
            content = self._send(api_key, deadline, "/models")
        except _RequestRefused as refused:
            raise error_mapping.error_for_refusal(refused.refusal, "") from None
        return response_bodies.parse_model_ids(content)

    def ask(self, api_key: SecretStr, model: str, question: Question, deadline: Deadline, usage: Usage) -> Answer:
        """Return one answer and add the tokens that it used to `usage`. Raises GlificGptError."""
        while True:
            path = self._capabilities.path_for(model)
            unsupported = self._capabilities.unsupported_parameters(model)
            body = request_bodies.build_request_body(path, model, question, unsupported)
            try:
                content = self._send(api_key, deadline, path, body)
            except _RequestRefused as refused:
                # The loop ends: each further pass needs a capability that was not known before.
                if not self._capabilities.learn(model, path, body, refused.refusal):
                    raise error_mapping.error_for_refusal(refused.refusal, model) from None
            else:
                return response_bodies.parse_answer(path, content, model, usage)

    def _send(
        self, api_key: SecretStr, deadline: Deadline, path: str, body: request_bodies.JsonObject | None = None
    ) -> bytes:
        """Send a request with retries and return the body of a reply of status 2xx.

        Raises _RequestRefused for a reply of another status, and GlificGptError if there was no complete reply.
        """
        attempts = 0
        while True:
            attempts += 1
            try:
                return self._send_once(api_key, deadline, path, body)
            except openai.APIStatusError as error:
                refusal = ApiRefusal(error)
                delay = next_delay(attempts, refusal, deadline)
                if delay is None:
                    raise _RequestRefused(refusal) from None
            except openai.APIConnectionError as error:
                delay = None if error_mapping.is_final(error) else next_delay(attempts, None, deadline)
                if delay is None:
                    raise error_mapping.error_for_connection(error) from None
            bridge.sleep(delay)

    def _send_once(
        self, api_key: SecretStr, deadline: Deadline, path: str, body: request_bodies.JsonObject | None
    ) -> bytes:
        if deadline.passed:
            raise DeadlineExceeded
        options = request_options(api_key, deadline)
        # The library's typed methods take three times the CPU time, for types that are checked here anyway.
        if body is None:
            return self._client.get(path, options=options, cast_to=bytes)
        return self._client.post(path, options=options, body=body, cast_to=bytes)


@dataclass
class BoundModel:
    """A model bound to a key and a deadline. It counts the tokens that it uses."""

    _gateway: Gateway = field(repr=False)
    _api_key: SecretStr = field(repr=False)
    name: str
    _deadline: Deadline = field(repr=False)
    usage: Usage = field(default_factory=Usage)

    def ask(self, question: Question) -> Answer:
        return self._gateway.ask(self._api_key, self.name, question, self._deadline, self.usage)


class _RequestRefused(Exception):
    """OpenAI refused a request for good. The caller decides whether a changed request may succeed."""

    def __init__(self, refusal: ApiRefusal) -> None:
        super().__init__()
        self.refusal = refusal
