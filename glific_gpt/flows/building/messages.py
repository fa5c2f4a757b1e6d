"""Sticky notes of a flow, for the staff that edits it in Glific."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from glific_gpt.flows.building.spec import FlowSpec, Mode
from glific_gpt.flows.building.texts import NoteText, texts_in

RESERVED_CHARACTERS = 195
"""Characters of a message that are left beside an answer, so that staff can write a longer prompt."""


@dataclass(frozen=True)
class StickyNote:
    """Plain text; Glific's editor shows neither links nor bold."""

    title: str
    body: str
    color: str = "yellow"


def build_notes(spec: FlowSpec) -> dict[str, StickyNote]:
    """Return the sticky notes by their names in the grid of the layout."""
    texts, host = texts_in(spec.language), urlsplit(spec.endpoint.url).hostname

    def note(text: NoteText, color: str = "yellow") -> StickyNote:
        return StickyNote(text.title, text.body.format(keyword=spec.keyword, host=host), color)

    notes = {
        "about": note(texts.about),
        "change": note(texts.change, "green"),
        "auth": note(texts.signature_auth if spec.endpoint.token is None else texts.bearer_auth, "purple"),
        "keep": note(texts.keep, "gray"),
    }
    if spec.uses_documents:
        notes["documents"] = note(texts.documents, "blue")
    if spec.has_memory:
        notes["memory"] = note(texts.memory, "blue")
    if spec.mode is not Mode.SYNC:
        notes["deferred"] = note(texts.deferred, "blue")
    return notes
