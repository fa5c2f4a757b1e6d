"""Texts of a built flow in each language: messages for WhatsApp users, and notes for the staff that edits the flow.

Texts that can be sent more than once contain the number of the message, which is different each time: Glific ends
a conversation in which one node sends the same text for the fifth time within six hours.
No variable stands before a `.`, a `-` or a letter outside ASCII: Glific would read these as part of its name.
"""

from enum import StrEnum

from glific_gpt.flows.building.texts.english import ENGLISH
from glific_gpt.flows.building.texts.hindi import HINDI
from glific_gpt.flows.building.texts.texts import NoteText, Texts

__all__ = ["Language", "NoteText", "Texts", "texts_in"]


class Language(StrEnum):
    """The language of a flow's messages and notes."""

    ENGLISH = "en"
    HINDI = "hi"


def texts_in(language: Language) -> Texts:
    """Return the texts in a language."""
    return {Language.ENGLISH: ENGLISH, Language.HINDI: HINDI}[language]
