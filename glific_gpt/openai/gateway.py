"""Requests to OpenAI: one answer or the list of models."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from typing import TypeVar

from pydantic import SecretStr

from glific_gpt.clock import Deadline
from glific_gpt.errors import MSG_BUDGET_TOO_SMALL, BudgetExceeded, EmptyAnswer, GlificGptError
from glific_gpt.metrics import recording
from glific_gpt.openai import error_mapping, request_bodies, response_bodies
from glific_gpt.openai.adaptations import OTHER_SERVER, UNCHANGED, Adaptations
from glific_gpt.openai.capabilities import LearnedCapabilities
from glific_gpt.openai.chat import Allowance, Answer, LongWait, Question, Turn, Usage
from glific_gpt.openai.client import OpenAIClient
from glific_gpt.openai.connections import AddressFilter
from glific_gpt.openai.hosts import host_of
from glific_gpt.openai.other_servers import OtherServer
from glific_gpt.openai.picture_downloads import PictureDownloads
from glific_gpt.openai.refusals import ApiRefusal, RequestRefused
from glific_gpt.openai.retries import DEFAULT_POLICY, RetryingClient, RetryPolicy
from glific_gpt.openai.traits import max_picture_tokens
from glific_gpt.openai.vector_stores import VectorStores
from glific_gpt.runtime import bridge, cpu_bound

Result = TypeVar("Result")

HELD_PICTURE_SECONDS = 1.0
"""Longest wait between two attempts for which a downloaded picture stays in memory. Others download it again."""

MSG_UNLIMITED = (
    "{model} accepts no limit for the length of its answers, so it cannot be used under a monthly budget. Choose "
    "another model."
)
MSG_UNLIMITED_SEARCHES = (
    "{model} accepts no limit for its searches, so it cannot search documents under a monthly budget. Choose another "
    "model."
)


class Gateway:
    """The OpenAI API at one base URL, shared by all organizations. Each call brings its own key."""

    def __init__(
        self,
        base_url: str,
        *,
        imitates: bool = False,
        allows: AddressFilter | None = None,
        pictures: PictureDownloads | None = None,
    ) -> None:
        """With `imitates`, the server has no models of OpenAI and none of its endpoints beside Chat Completions.

        `pictures` are the downloads of another gateway, which share their limits with this one.
        """
        self.pictures = pictures or PictureDownloads()
        self._client = OpenAIClient(base_url, allows)
        self._server = OtherServer(host_of(base_url)) if imitates else None
        self._retrying = RetryingClient(self._client, self._server.reword if self._server else None)
        self._capabilities = LearnedCapabilities()

    def bind(
        self, api_key: SecretStr, model: str, deadline: Deadline, *, picture_group: str | None = None
    ) -> "BoundModel":
        """Return a model that a function can ask with this key until the deadline.

        With `picture_group`, this server downloads the pictures of questions, and OpenAI gets their bytes. Groups share
        the downloads in turns.
        """
        usage = Usage(has_prices=self._server is None)
        return BoundModel(self, api_key, model, deadline, picture_group, usage)

    def documents(self, api_key: SecretStr, deadline: Deadline) -> VectorStores:
        """Return the vector stores that the key reaches. Raises ModelNotSupported if the server has none."""
        if self._server:
            raise self._server.searches_no_files()
        return VectorStores(self._client, api_key, deadline)

    def list_models(self, api_key: SecretStr, deadline: Deadline) -> list[str]:
        """Return the ids of the models that the key can use. The request is free. Raises GlificGptError."""
        try:
            return self._retrying.send(api_key, deadline, "/models", None, response_bodies.parse_model_ids)
        except RequestRefused as refused:
            raise self._error_for(refused.refusal, "") from None

    def ask(
        self,
        api_key: SecretStr,
        model: str,
        question: Question,
        deadline: Deadline,
        usage: Usage,
        *,
        must_limit: bool = False,
        policy: RetryPolicy = DEFAULT_POLICY,
    ) -> Answer:
        """Return one answer and add the tokens that it used to `usage`. Raises GlificGptError and LongWait.

        A refused request may be repeated in another form. Later calls use this form only if it was answered.
        With `must_limit`, no request is sent without the question's max_tokens and a limit of its searches. The policy
        says which requests are sent again in the same form.
        """
        learned = adaptations = self._known_adaptations(api_key, model)
        while True:
            path = self._path_for(adaptations, model, question)
            body = _build_body(path, model, question, adaptations.left_out)
            if must_limit:
                _require_limits(body, model)
            parse = partial(_parse_answer, path, model, usage)
            try:
                answer = self._retrying.send(api_key, deadline, path, body, parse, policy=policy)
            except RequestRefused as refused:
                changed = adaptations.after(refused.refusal, path, body)
                if changed is None or (self._server and changed.responses_api):
                    raise self._error_for(refused.refusal, model) from None
                adaptations = changed
            else:
                if adaptations is not learned and adaptations.is_general:
                    self._capabilities.learn(api_key, model, adaptations)
                return answer

    def _known_adaptations(self, api_key: SecretStr, model: str) -> Adaptations:
        learned = self._capabilities.find(api_key, model)
        return OTHER_SERVER if self._server and learned is UNCHANGED else learned

    def _path_for(self, adaptations: Adaptations, model: str, question: Question) -> str:
        """Return the path of the endpoint. Raises ModelNotSupported if the server has no such endpoint."""
        if self._server is None:
            return adaptations.path_for(model, searches_files=bool(question.vector_store_ids))
        if question.vector_store_ids:
            raise self._server.searches_no_files()
        return request_bodies.CHAT_PATH

    def _error_for(self, refusal: ApiRefusal, model: str) -> GlificGptError:
        error = error_mapping.error_for_refusal(refusal, model)
        return self._server.reword(error, refusal, model) if self._server else error


def _require_limits(body: request_bodies.JsonObject, model: str) -> None:
    """Raise BudgetExceeded if the cost of the answer would have no limit."""
    if not request_bodies.TOKEN_LIMITS & body.keys():
        raise BudgetExceeded(MSG_UNLIMITED.format(model=model))
    if request_bodies.TOOLS in body and request_bodies.MAX_TOOL_CALLS not in body:
        raise BudgetExceeded(MSG_UNLIMITED_SEARCHES.format(model=model))


def _build_body(path: str, model: str, question: Question, omitted: frozenset[str]) -> request_bodies.JsonObject:
    history = sum(len(turn.question) + len(turn.answer) for turn in question.history)
    texts = (question.text, question.instructions or "", question.picture_url or "")
    is_long = history + sum(map(len, texts)) > cpu_bound.LARGE_CHARACTERS
    return cpu_bound.run(lambda: request_bodies.build_request_body(path, model, question, omitted), is_long=is_long)


def _parse_answer(path: str, model: str, usage: Usage, content: bytes) -> Answer:
    is_long = len(content) > cpu_bound.LARGE_CHARACTERS
    return cpu_bound.run(lambda: response_bodies.parse_answer(path, content, model, usage), is_long=is_long)


@dataclass
class BoundModel:
    """A model bound to a key and a deadline. It counts the tokens that it uses, and keeps to its allowance."""

    _gateway: Gateway = field(repr=False)
    _api_key: SecretStr = field(repr=False)
    name: str
    _deadline: Deadline = field(repr=False)
    _picture_group: str | None = None
    usage: Usage = field(default_factory=Usage)
    allowance: Allowance | None = field(default=None, repr=False)
    memory: tuple[Turn, ...] = field(default=(), repr=False)
    remembered_question: str = field(default="", repr=False)

    def ask(self, question: Question, *, retry: bool = True) -> Answer:
        """Return the answer. Without `retry`, a refusal of OpenAI is final. Raises GlificGptError."""
        if question.uses_memory:
            self.remembered_question = question.text
            question = replace(question, history=self.memory) if self.memory else question
        policy = RetryPolicy(retry, HELD_PICTURE_SECONDS if self._downloads(question) else inf)
        while True:
            try:
                return self._ask_once(question, policy)
            except LongWait as wait:
                seconds, policy = wait.seconds, policy._replace(attempts=wait.attempts)
            # Outside of the block: the exception would keep the picture alive.
            bridge.sleep(seconds)

    def _ask_once(self, question: Question, policy: RetryPolicy) -> Answer:
        with self.with_picture(question) as complete:
            return self._ask_timed(complete, policy)

    def _downloads(self, question: Question) -> bool:
        """Return whether this server downloads the picture of the question."""
        address = question.picture_url
        return address is not None and self._picture_group is not None and not address.startswith("data:")

    @contextmanager
    def with_picture(self, question: Question) -> Iterator[Question]:
        """Yield the question with the bytes of its picture, if this server downloads it. Raises GlificGptError."""
        address, group = question.picture_url, self._picture_group
        if address is None or group is None or not self._downloads(question):
            yield question
            return
        with self._gateway.pictures.fetch(group, address, self._deadline) as picture:
            yield replace(question, picture_url=picture)

    def _ask_timed(self, question: Question, policy: RetryPolicy) -> Answer:
        started = time.monotonic()
        try:
            return self._ask(question, policy)
        finally:
            seconds = time.monotonic() - started
            self.usage.seconds += seconds
            recording.openai_asked(seconds)

    def _ask(self, question: Question, policy: RetryPolicy) -> Answer:
        ask = partial(
            self._gateway.ask,
            self._api_key,
            self.name,
            deadline=self._deadline,
            usage=self.usage,
            policy=policy,
        )
        if self.allowance is None:
            return ask(question)
        is_long = cpu_bound.is_large(question.response_format)  # to encode a text takes less than a millisecond
        input_tokens = cpu_bound.run(lambda: request_bodies.max_input_tokens(question), is_long=is_long)
        if question.picture_url is not None:
            input_tokens += max_picture_tokens(self.name)
        searches = request_bodies.max_file_searches(question)
        tokens, is_shortened = self.allowance.limit(
            self.name, input_tokens, question.max_tokens, file_searches=searches
        )
        limited = replace(question, max_tokens=tokens)
        try:
            with self.allowance.charge(self.name, self.usage):
                answer = ask(limited, must_limit=True)
        except EmptyAnswer:
            if is_shortened:  # a reasoning model used the whole limit before its answer
                raise BudgetExceeded(MSG_BUDGET_TOO_SMALL) from None
            raise
        return replace(answer, cut_off_by_budget=answer.cut_off and is_shortened)
