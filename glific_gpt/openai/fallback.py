"""A model with a fallback: another model of the same key, asked once if OpenAI does not let the first one answer."""

from dataclasses import dataclass, field

from glific_gpt.clock import Deadline
from glific_gpt.errors import GlificGptError
from glific_gpt.metrics import recording
from glific_gpt.openai import causes
from glific_gpt.openai.chat import Allowance, Answer, Fallback, Question, Turn, Usage
from glific_gpt.openai.gateway import BoundModel
from glific_gpt.openai.retries import BACKOFF_SECONDS, MIN_ANSWER_SECONDS
from glific_gpt.runtime import bridge


@dataclass
class ModelWithFallback:
    """Two models that are bound to the same key and deadline. They share their usage and their allowance.

    The first model is asked once before the fallback, because the person has only a few seconds: a second attempt
    costs as much time as the fallback, and a failure of OpenAI often affects one model for minutes. If both fail, the
    first model is asked again as without a fallback.
    """

    _first: BoundModel
    _second: BoundModel
    _deadline: Deadline = field(repr=False)
    name: str = field(init=False)
    usage: Usage = field(init=False)
    allowance: Allowance | None = field(default=None, repr=False)
    memory: tuple[Turn, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        self.name, self.usage = self._first.name, self._first.usage
        self._second.usage = self.usage

    @property
    def remembered_question(self) -> str:
        return self._first.remembered_question  # the first model is asked each question

    def ask(self, question: Question) -> Answer:
        """Return the answer of either model. If both fail, raises the error of the first one."""
        self.usage.fallback = None
        self._first.allowance = self._second.allowance = self.allowance
        self._first.memory = self._second.memory = self.memory
        answered = self._ask_each(question)
        return answered if isinstance(answered, Answer) else self._ask_again(question, answered)

    def _ask_each(self, question: Question) -> Answer | GlificGptError:
        """Return the answer of either model, else the error of the first one. They share the picture."""
        with self._first.with_picture(question) as complete:
            return self._ask(complete)

    def _ask(self, question: Question) -> Answer | GlificGptError:
        try:
            return self._first.ask(question, retry=False)
        except GlificGptError as error:
            if not error.is_about_model or self._deadline.remaining() < MIN_ANSWER_SECONDS:
                raise
            failure = error
        try:
            answer = self._second.ask(question, retry=False)
        except GlificGptError as error:
            failure.cause = _join_causes(failure.cause, self._second.name, error)
            failure.__context__ = None  # with its traceback, it would keep the picture alive
            return failure.with_traceback(None)
        self.usage.fallback = Fallback(self._second.name, failure.code, failure.cause)
        recording.fallback_answered()
        return answer

    def _ask_again(self, question: Question, failure: GlificGptError) -> Answer:
        """Ask the first model again if that can help, as soon as OpenAI allows it. Raises GlificGptError.

        A picture is downloaded again: nothing holds it during the wait.
        """
        delay = BACKOFF_SECONDS if failure.retry_after is None else failure.retry_after
        if not failure.is_temporary or delay + MIN_ANSWER_SECONDS >= self._deadline.remaining():
            raise failure from None
        bridge.sleep(delay)
        return self._first.ask(question)


def _join_causes(first: str | None, model: str, error: GlificGptError) -> str:
    """Return both causes, as long as the column for them allows."""
    return f"{first}; {model}: {error.cause or error.code}"[: causes.MAX_LENGTH]
