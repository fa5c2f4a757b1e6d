"""Questions to a language model and its answers, independent of the provider."""

from dataclasses import dataclass
from typing import Any, Protocol


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


@dataclass(frozen=True)
class Answer:
    """A model's answer."""

    text: str
    model: str
    """Id of the model that answered, as OpenAI reports it; often the requested id with a date."""
    cut_off: bool = False
    """True if the model reached its token limit before the end of the answer."""


@dataclass
class Usage:
    """Tokens that a call has used until now. They count even if the call fails in the end."""

    input_tokens: int = 0
    output_tokens: int = 0
    model: str | None = None
    """The model that used them."""


class LanguageModel(Protocol):
    """A model bound to an organization's key and a call's deadline. Functions see nothing else of the provider."""

    name: str
    usage: Usage

    def ask(self, question: Question) -> Answer:
        """Return the answer. Raises a GlificGptError such as InsufficientQuota, RateLimited or DeadlineExceeded."""
        ...
