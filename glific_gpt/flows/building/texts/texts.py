"""The texts that each language has."""

from dataclasses import dataclass
from typing import NamedTuple


class NoteText(NamedTuple):
    """A sticky note in plain text; Glific's editor shows neither links nor bold. `{host}` is this server."""

    title: str
    body: str


@dataclass(frozen=True)
class Texts:
    """The texts of a flow in one language. `{keyword}` is the word that starts the flow."""

    prompt: str
    documents_prompt: str
    """The prompt of a flow that answers from documents."""
    exit_words: tuple[str, ...]
    """Words that finish the conversation, in the form in which Glific compares them."""
    welcome: str
    answer: str
    """The answer and the prompt for the next question in one message, as organizations pay for each message."""
    not_text: str
    wait_notice: str
    apology: str
    goodbye: str
    """The last message. It is sent once in a conversation, so it needs no number."""
    about: NoteText
    change: NoteText
    memory: NoteText
    documents: NoteText
    bearer_auth: NoteText
    signature_auth: NoteText
    deferred: NoteText
    keep: NoteText
