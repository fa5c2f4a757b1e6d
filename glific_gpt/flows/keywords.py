"""Keywords as Glific keeps them: the words that a person sends to start a flow."""

import unicodedata


def as_kept(text: str) -> str:
    """In small letters, without punctuation, symbols, spaces and control characters, of any script.

    Glific takes them out of keywords and of messages before it compares (glific/glific: Glific.string_clean).
    """
    return "".join(character for character in text if unicodedata.category(character)[0] not in "PSZC").lower()
