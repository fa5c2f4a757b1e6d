"""Flows that are ready to import: one for each way in which an answer can come."""

from glific_gpt.flows.building.conversation import PATIENCE_SECONDS, conversation
from glific_gpt.flows.building.definition import definition
from glific_gpt.flows.building.layout import layout
from glific_gpt.flows.building.messages import notes
from glific_gpt.flows.building.spec import DEFAULT_PROMPT, Mode, Wish, check
from glific_gpt.flows.files import Export

__all__ = ["DEFAULT_PROMPT", "PATIENCE_SECONDS", "Mode", "Wish", "make"]


def make(wish: Wish) -> Export:
    """A file for Flows > Import, with uuids that no other one has.

    Raises InvalidValue for a name that is blank or over 100 characters, and for a keyword that is not
    as Glific keeps it.
    """
    check(wish)
    steps, stickies = conversation(wish), notes(wish)
    places = layout({**steps, **stickies}, wish.mode)
    flow = {"keywords": [wish.keyword], "definition": definition(wish.name, steps, stickies, places)}
    return {"flows": [flow], "contact_field": [], "collections": [], "interactive_templates": []}
