"""The sentences of our errors, in the language of the page where the catalogue has them."""

from flask_babel import gettext

from glific_gpt.errors import GlificGptError


def sentence(error: GlificGptError) -> str:
    """What to tell people of it; a sentence with something filled in stays as it is."""
    return in_their_language(str(error))


def in_their_language(text: str) -> str:
    return gettext(text) if text else ""
