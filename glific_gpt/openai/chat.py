"""What is said to a language model and what it says, whoever serves it."""

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Question:
    """One question, with what the author of the flow wants done about it."""

    text: str
    instructions: str | None = None
    """The system message."""
    temperature: float | None = None
    """0 to 2; sent only to models that take one."""
    max_tokens: int | None = None
    """The longest answer, in tokens."""
    response_format: dict[str, Any] | None = None
    """{"type": "json_object"} or {"type": "json_schema", "json_schema": {...}}, as OpenAI's chat API has it."""


@dataclass(frozen=True)
class Answer:
    """What the model said."""

    text: str
    model: str
    """The model that answered, as OpenAI calls it; often a dated form of the one asked."""
    cut_off: bool = False
    """Whether it stopped because it ran out of tokens."""


@dataclass
class Usage:
    """Tokens that a call has used so far, also when it failed in the end."""

    input_tokens: int = 0
    output_tokens: int = 0
    model: str | None = None
    """The model that used them."""


class LanguageModel(Protocol):
    """A model bound to an organization's key and to the call's deadline; a function asks it and knows no more."""

    name: str
    usage: Usage

    def ask(self, question: Question) -> Answer:
        """Raises GlificGptError: InsufficientQuota, RateLimited, InvalidApiKey, DeadlineExceeded and their like."""
        ...
