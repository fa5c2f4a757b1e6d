"""Locales of people: the language of pages and e-mails, and the format of dates and numbers.

The default of English is India, where most people of this server are. The browser is not asked: people rarely choose
its region, and new browsers are set to the United States.
"""

from typing import Final

ENGLISH: Final = "en_IN"
"""The default locale. Numbers have lakhs: 17,43,945."""
LOCALES: Final = (ENGLISH, "en_GB", "en_US", "hi")
"""The locales that a person can choose: for English a language and a country, as Babel names them."""


def find_locale(saved: str | None) -> str:
    """Return a person's locale. A language without a country, of an earlier release, has the default country."""
    return saved if saved in LOCALES else ENGLISH


def language_of(locale: str) -> str:
    """Return the language of a locale."""
    return locale.partition("_")[0]
