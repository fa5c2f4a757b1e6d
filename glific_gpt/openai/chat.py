"""Questions to a language model and its answers, independent of the provider."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol


class Turn(NamedTuple):
    """An earlier question of a conversation, with its answer."""

    question: str
    answer: str


@dataclass(frozen=True)
class Question:
    """One question, with the options that the flow's author chose."""

    text: str
    instructions: str | None = None
    """The system message."""
    temperature: float | None = None
    """0 to 2; sent only to models that accept one."""
    max_tokens: int | None = None
    """Maximum length of the answer, in tokens."""
    response_format: dict[str, Any] | None = None
    """{"type": "json_object"} or {"type": "json_schema", "json_schema": {...}}, as in OpenAI's chat API."""
    reasoning_effort: str | None = None
    """How long the model thinks, such as low; sent only to models that think."""
    verbosity: str | None = None
    """How long the answer is, such as low; sent only to models that accept it."""
    picture_url: str | None = field(default=None, repr=False)
    """Address of a picture that belongs to the text, checked by `picture_addresses.read_address`."""
    vector_store_ids: tuple[str, ...] = ()
    """Vector stores at OpenAI that the model searches before it answers."""
    history: tuple[Turn, ...] = ()
    """The earlier turns of the conversation, the oldest first. A bound model adds those that its call remembers."""
    uses_memory: bool = True
    """False for a question of the function itself, such as a translation: earlier turns are not sent with it, and it is
    not remembered."""


@dataclass(frozen=True)
class Answer:
    """A model's answer."""

    text: str
    model: str
    """Id of the model that answered, as OpenAI reports it; often the requested id with a date."""
    cut_off: bool = False
    """True if the model reached its token limit before the end of the answer."""
    cut_off_by_budget: bool = False
    """True if the limit was lower than asked for, because little was left of the budget."""
    sources: tuple[str, ...] = ()
    """Names of the files that the answer cites, each once, in the order of their first citation."""


class Tokens(NamedTuple):
    """Numbers of tokens, which have different prices, and of searches, which OpenAI charges for too."""

    input: int = 0
    """The whole input."""
    output: int = 0
    """The whole output, the model's reasoning included."""
    cached: int = 0
    """Part of the input that OpenAI had in its cache."""
    cache_writes: int = 0
    """Part of the input that OpenAI has put into its cache."""
    file_searches: int = 0
    """Searches in vector stores."""

    def plus(self, other: "Tokens") -> "Tokens":
        return Tokens(*(a + b for a, b in zip(self, other, strict=True)))

    def minus(self, other: "Tokens") -> "Tokens":
        return Tokens(*(a - b for a, b in zip(self, other, strict=True)))


class Fallback(NamedTuple):
    """An answer by the organization's fallback model, because the model of the call gave none."""

    model: str
    """The fallback model, as it was asked for."""
    reason: str
    """Code of the error of the model of the call."""
    cause: str | None
    """The cause of that error."""


@dataclass
class Usage:
    """Tokens that a call has used until now. They count even if the call fails in the end."""

    tokens: Tokens = field(default_factory=Tokens)
    has_prices: bool = True
    """False at a server that is not OpenAI: OpenAI's price of a model with the same name says nothing about it."""
    is_incomplete: bool = False
    """True if a reply did not say how many tokens it used."""
    model: str | None = None
    """The model that answered last."""
    cut_off: bool = False
    """True if the model reached its token limit before the end of the last answer."""
    fallback: Fallback | None = None
    """Set if the last answer is from the fallback model."""
    seconds: float = 0.0
    """Time spent waiting for the provider, retries included."""

    @property
    def input_tokens(self) -> int:
        return self.tokens.input

    @property
    def output_tokens(self) -> int:
        return self.tokens.output


class LongWait(Exception):
    """OpenAI refused a request for free, and the next attempt is far away. Memory can be released meanwhile."""

    def __init__(self, seconds: float, attempts: int) -> None:
        super().__init__(seconds, attempts)
        self.seconds, self.attempts = seconds, attempts


class OutputLimit(NamedTuple):
    """Maximum length of an answer that the reserved money pays for."""

    tokens: int
    is_shortened: bool
    """True if it is less than the caller asked for, or less than usual."""


class Allowance(Protocol):
    """Money that is reserved for a call. Every question of the call is paid from it."""

    def limit(self, model: str, input_tokens: int, max_tokens: int | None, *, file_searches: int = 0) -> OutputLimit:
        """Return the longest answer that can be paid for. Raises BudgetExceeded.

        `input_tokens` and `file_searches` are upper bounds. `max_tokens` is the caller's limit, if any.
        """
        ...

    def charge(self, model: str, usage: Usage) -> AbstractContextManager[None]:
        """Pay for the question that is asked inside the block, by the tokens that it adds to `usage`."""
        ...


class LanguageModel(Protocol):
    """A model bound to an organization's key and a call's deadline. Functions see nothing else of the provider."""

    name: str
    usage: Usage
    allowance: Allowance | None
    """Limits the answers under a budget; None without a budget."""
    memory: tuple[Turn, ...]
    """Earlier turns, which are sent with each question that uses memory."""

    @property
    def remembered_question(self) -> str:
        """Text of the last question that uses memory."""
        ...

    def ask(self, question: Question) -> Answer:
        """Return the answer. Raises a GlificGptError such as InsufficientQuota, RateLimited or DeadlineExceeded."""
        ...
