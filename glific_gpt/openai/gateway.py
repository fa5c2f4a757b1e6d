"""When OpenAI is asked once more: only for what passes by itself, and only inside the deadline."""

import random
from dataclasses import dataclass, field

import openai
from pydantic import SecretStr

from glific_gpt import bridge
from glific_gpt.clock import Deadline
from glific_gpt.errors import DeadlineExceeded
from glific_gpt.openai import failures, replies, requests
from glific_gpt.openai.chat import Answer, Question, Usage
from glific_gpt.openai.failures import Refusal
from glific_gpt.openai.learned import Learned
from glific_gpt.openai.transport import Library, options_for

MAX_TRIES = 3
MAX_PATIENT_TRIES = 8
PATIENT_SECONDS = 10.0
"""With more time left nobody is waiting at the other end, and the limits that OpenAI sets pass within a minute."""
BACKOFF_SECONDS = 0.25
SHORTEST_ANSWER_SECONDS = 0.5
"""Less than this is no time for a model to answer in, so there is no use in asking."""


def pause(tries: int, refusal: Refusal | None, deadline: Deadline) -> float | None:
    """Seconds to wait before the next try, after that many; None to give up. No refusal: nothing was heard."""
    most = MAX_PATIENT_TRIES if deadline.remaining() > PATIENT_SECONDS else MAX_TRIES
    if tries >= most or (refusal is not None and not refusal.passes):
        return None
    asked = refusal.retry_after if refusal else None
    wait = asked if asked is not None else BACKOFF_SECONDS * 2 ** (tries - 1) * random.uniform(0.5, 1.0)  # noqa: S311
    return wait if wait + SHORTEST_ANSWER_SECONDS < deadline.remaining() else None


class Gateway:
    """The way to the OpenAI API at one base URL, shared by all organizations; each call brings its own key."""

    def __init__(self, base_url: str) -> None:
        self._library = Library(base_url)
        self._learned = Learned()

    def bind(self, api_key: SecretStr, model: str, deadline: Deadline) -> "BoundModel":
        """A model that a function can ask with this key until the deadline."""
        return BoundModel(self, api_key, model, deadline)

    def list_models(self, api_key: SecretStr, deadline: Deadline) -> list[str]:
        """Ids of the models that the key reaches; costs nothing. Raises GlificGptError."""
        try:
            reply = self._send(api_key, deadline, "/models")
        except _Refused as refused:
            raise failures.from_status(refused.refusal, "") from None
        return replies.model_ids(reply)

    def ask(self, api_key: SecretStr, model: str, question: Question, deadline: Deadline, usage: Usage) -> Answer:
        """One answer; the tokens that it took are added to `usage`. Raises GlificGptError."""
        while True:
            path = self._learned.path(model)
            body = requests.build(path, model, question, self._learned.dropped(model))
            try:
                reply = self._send(api_key, deadline, path, body)
            except _Refused as refused:
                # Only what was not known yet is tried once more, so this ends.
                if not self._learned.from_refusal(model, path, body, refused.refusal):
                    raise failures.from_status(refused.refusal, model) from None
            else:
                return replies.read(path, reply, model, usage)

    def _send(self, api_key: SecretStr, deadline: Deadline, path: str, body: requests.Body | None = None) -> bytes:
        """The body of a reply of status 2xx. Raises _Refused for any other, GlificGptError when none came."""
        tries = 0
        while True:
            tries += 1
            try:
                return self._send_once(api_key, deadline, path, body)
            except openai.APIStatusError as error:
                refusal = Refusal(error)
                wait = pause(tries, refusal, deadline)
                if wait is None:
                    raise _Refused(refusal) from None
            except openai.APIConnectionError as error:
                wait = None if failures.is_final(error) else pause(tries, None, deadline)
                if wait is None:
                    raise failures.from_connection(error) from None
            bridge.sleep(wait)

    def _send_once(self, api_key: SecretStr, deadline: Deadline, path: str, body: requests.Body | None) -> bytes:
        if deadline.passed:
            raise DeadlineExceeded
        options = options_for(api_key, deadline)
        # The SDK's typed methods cost three times the CPU of this one, for types that are checked here anyway.
        if body is None:
            return self._library.get(path, options=options, cast_to=bytes)
        return self._library.post(path, options=options, body=body, cast_to=bytes)


@dataclass
class BoundModel:
    """A model, bound to a key and a deadline, that counts what it has used."""

    _gateway: Gateway = field(repr=False)
    _api_key: SecretStr = field(repr=False)
    name: str
    _deadline: Deadline = field(repr=False)
    usage: Usage = field(default_factory=Usage)

    def ask(self, question: Question) -> Answer:
        return self._gateway.ask(self._api_key, self.name, question, self._deadline, self.usage)


class _Refused(Exception):
    """OpenAI's last word, before it is known whether something can be learned from it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__()
        self.refusal = refusal
