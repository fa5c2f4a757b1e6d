"""The specification of a flow, and the values that Glific would refuse."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from glific_gpt.errors import N_, InvalidValue
from glific_gpt.flows.endpoint import WebhookEndpoint
from glific_gpt.flows.structure import normalize_keyword

DEFAULT_PROMPT = "Answer in less than 5 sentences, in the language of the question."
MAX_NAME_LENGTH = 100
DOCUMENTS_PROMPT = "Answer from the documents, in less than 5 sentences and in the language of the question."
EXIT_WORD = "end"
"""The user sends this word to finish the conversation."""


class Mode(StrEnum):
    """When the answer comes: `?mode=` of the webhook's address."""

    SYNC = "sync"
    """Within the webhook call, or not at all."""
    ASYNC = "async"
    """Always later; the flow waits for it."""
    AUTO = "auto"
    """Within the webhook call if it is fast enough, otherwise later."""


class Features(NamedTuple):
    """Parts of a flow that not every flow has."""

    has_memory: bool = False
    uses_documents: bool = False


@dataclass(frozen=True)
class FlowSpec:
    """The specification of one flow to build."""

    mode: Mode
    name: str
    keyword: str
    endpoint: WebhookEndpoint
    model: str
    prompt: str = DEFAULT_PROMPT
    has_memory: bool = False
    """True if each question continues the conversation."""
    uses_documents: bool = False
    """True if the answers come from the organization's documents."""


def validate_spec(spec: FlowSpec) -> None:
    """Raise InvalidValue for a name that Glific refuses, or a keyword that it never matches."""
    if not spec.name.strip():
        raise InvalidValue(N_("The flow has no name. Enter one."))
    if len(spec.name) > MAX_NAME_LENGTH:
        raise InvalidValue(f"The flow's name is too long. Use at most {MAX_NAME_LENGTH} characters.")
    normalized = normalize_keyword(spec.keyword)
    if not normalized:
        raise InvalidValue(N_("The keyword has no letters or digits. Enter a word that people send to start the flow."))
    if normalized != spec.keyword:
        raise InvalidValue(f'Glific stores keywords without capitals, spaces and punctuation. Use "{normalized}".')
    if normalized == EXIT_WORD:
        raise InvalidValue(N_("The word END finishes the conversation. Choose another keyword."))
