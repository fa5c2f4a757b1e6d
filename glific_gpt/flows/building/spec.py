"""The specification of a flow, and the values that Glific would refuse."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from glific_gpt.errors import N_, InvalidValue
from glific_gpt.flows.building.texts import Language, texts_in
from glific_gpt.flows.endpoint import WebhookEndpoint
from glific_gpt.flows.structure import normalize_keyword
from glific_gpt.flows.variables import find_joined

MAX_NAME_LENGTH = 100
MAX_PROMPT_LENGTH = 20_000


class Mode(StrEnum):
    """When the answer comes: `?mode=` of the webhook's address."""

    SYNC = "sync"
    """Within the webhook call, or not at all."""
    ASYNC = "async"
    """Always later; the flow waits for it."""
    AUTO = "auto"
    """Within the webhook call if it is fast enough, otherwise later."""


class FlowOptions(NamedTuple):
    """Properties of a flow that have defaults."""

    prompt: str = ""
    """Empty for the default of the language."""
    language: Language = Language.ENGLISH
    has_memory: bool = False
    """True if each question continues the conversation."""
    uses_documents: bool = False
    """True if the answers come from the organization's documents."""


@dataclass(frozen=True)
class FlowSpec:
    """The specification of one flow to build. `FlowOptions` describes its last four fields."""

    mode: Mode
    name: str
    keyword: str
    endpoint: WebhookEndpoint
    model: str
    prompt: str = ""
    language: Language = Language.ENGLISH
    has_memory: bool = False
    uses_documents: bool = False

    @property
    def sent_prompt(self) -> str:
        """The prompt that the flow sends."""
        return self.prompt or default_prompt(self.language, uses_documents=self.uses_documents)


def default_prompt(language: Language, *, uses_documents: bool = False) -> str:
    """Return the prompt of a flow for which none is given."""
    texts = texts_in(language)
    return texts.documents_prompt if uses_documents else texts.prompt


def validate_spec(spec: FlowSpec) -> None:
    """Raise InvalidValue for a name that Glific refuses, a keyword that it never matches, or an unusable prompt."""
    if not spec.name.strip():
        raise InvalidValue(N_("The flow has no name. Enter one."))
    if len(spec.name) > MAX_NAME_LENGTH:
        raise InvalidValue(f"The flow's name is too long. Use at most {MAX_NAME_LENGTH} characters.")
    normalized = normalize_keyword(spec.keyword)
    if not normalized:
        raise InvalidValue(N_("The keyword has no letters or digits. Enter a word that people send to start the flow."))
    if normalized != spec.keyword:
        raise InvalidValue(f'Glific stores keywords without capitals, spaces and punctuation. Use "{normalized}".')
    if normalized in texts_in(spec.language).exit_words:
        raise InvalidValue(f"The word {normalized.upper()} finishes the conversation. Choose another keyword.")
    validate_prompt(spec.prompt)


def validate_prompt(prompt: str) -> None:
    """Raise InvalidValue for a prompt that is too long, or has a variable that Glific would not fill."""
    if len(prompt) > MAX_PROMPT_LENGTH:
        raise InvalidValue(f"The prompt is too long. Use at most {MAX_PROMPT_LENGTH} characters.")
    if joined := next(iter(find_joined(prompt)), None):
        raise InvalidValue(f"Glific does not fill {joined} in the prompt. Put a space after it.")
