"""Requests to OpenAI with retries inside the deadline: only for temporary errors, while there is time for an answer."""

import random
from collections.abc import Callable
from math import inf
from typing import NamedTuple, TypeVar

import openai
from pydantic import SecretStr

from glific_gpt.clock import Deadline
from glific_gpt.errors import DeadlineExceeded, GlificGptError
from glific_gpt.metrics import recording
from glific_gpt.openai import causes, error_mapping
from glific_gpt.openai.chat import LongWait
from glific_gpt.openai.client import OpenAIClient
from glific_gpt.openai.refusals import ApiRefusal, RequestRefused
from glific_gpt.openai.request_bodies import JsonObject
from glific_gpt.runtime import bridge

Result = TypeVar("Result")

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


class RetryPolicy(NamedTuple):
    """Which failed requests are sent again."""

    retries_refusals: bool = True
    """If False, only a connection that failed is a reason for another attempt."""
    max_wait: float = inf
    """Longest wait between two attempts, in seconds, for which the caller keeps the body of the request."""
    attempts: int = 0
    """Attempts that the caller has made before."""


DEFAULT_POLICY = RetryPolicy()


class RetryingClient:
    """Repeats requests that failed for a temporary reason."""

    def __init__(self, client: OpenAIClient, reword: Callable[[GlificGptError], GlificGptError] | None = None) -> None:
        """`reword` changes the error of a request without a complete reply, as for a server that is not OpenAI."""
        self._client = client
        self._reword = reword

    def send(
        self,
        api_key: SecretStr,
        deadline: Deadline,
        path: str,
        body: JsonObject | None,
        parse: Callable[[bytes], Result],
        *,
        policy: RetryPolicy = DEFAULT_POLICY,
    ) -> Result:
        """Send a request with retries and return the parsed body of its reply.

        Raises RequestRefused for an error reply, and GlificGptError if there was no complete reply, or from `parse`.
        Raises LongWait in place of a wait that is longer than `policy` allows.
        """
        attempts = policy.attempts
        while True:
            attempts += 1
            try:
                return parse(self._send_once(api_key, deadline, path, body))
            except RequestRefused as refused:
                recording.openai_failed(causes.label_of_status(refused.refusal.status))
                is_final = refused.is_paid or not policy.retries_refusals
                delay = None if is_final else next_delay(attempts, refused.refusal, deadline)
                if delay is None:
                    raise
            except openai.APIConnectionError as error:
                recording.openai_failed(error_mapping.label_of_connection(error))
                delay = None if error_mapping.is_final(error) else next_delay(attempts, None, deadline)
                if delay is None:
                    mapped = error_mapping.error_for_connection(error)
                    raise (self._reword(mapped) if self._reword else mapped) from None
            if delay > policy.max_wait:
                raise LongWait(delay, attempts)
            bridge.sleep(delay)

    def _send_once(self, api_key: SecretStr, deadline: Deadline, path: str, body: JsonObject | None) -> bytes:
        if deadline.passed:
            raise DeadlineExceeded(was_asked=False)  # an earlier attempt was refused, which costs nothing
        # The library's typed methods take four times the CPU time, for types that are checked here anyway.
        return self._client.exchange(api_key, path, body, deadline.remaining())
