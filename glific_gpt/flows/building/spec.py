"""What a flow is made from, and what Glific would refuse of it."""

from dataclasses import dataclass
from enum import StrEnum

from glific_gpt.errors import N_, InvalidValue
from glific_gpt.flows.structure import as_kept
from glific_gpt.flows.webhook_auth import WayIn

DEFAULT_PROMPT = "Answer in less than 5 sentences, in the language of the question."
LONGEST_NAME = 100
LEAVING = "end"
"""What a person types to finish."""


class Mode(StrEnum):
    """When the answer comes: `?mode=` of the webhook's address."""

    SYNC = "sync"
    """Within the call, or not at all."""
    ASYNC = "async"
    """Always later; the flow waits for it."""
    AUTO = "auto"
    """Within the call if it is quick enough, otherwise later."""


@dataclass(frozen=True)
class Wish:
    """One flow that a person wants."""

    mode: Mode
    name: str
    keyword: str
    way_in: WayIn
    model: str
    prompt: str = DEFAULT_PROMPT


def check(wish: Wish) -> None:
    """Raises InvalidValue for a name or keyword that Glific would refuse or never hear."""
    if not wish.name.strip():
        raise InvalidValue(N_("Give the flow a name."))
    if len(wish.name) > LONGEST_NAME:
        raise InvalidValue(f"The name of a flow has at most {LONGEST_NAME} characters.")
    kept = as_kept(wish.keyword)
    if not kept:
        raise InvalidValue(N_("Give the flow a keyword of letters or digits: people send it to start the flow."))
    if kept != wish.keyword:
        raise InvalidValue(f'Glific keeps keywords without capitals, spaces and punctuation: use "{kept}".')
    if kept == LEAVING:
        raise InvalidValue(N_("People type END to leave the conversation: choose another keyword."))
