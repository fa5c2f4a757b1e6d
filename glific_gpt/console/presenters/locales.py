"""Locales as people read them: the language, with a date and a number as examples."""

from datetime import date

from flask_babel import force_locale, format_date, format_decimal, get_locale

SAMPLE_DAY = date(2026, 11, 28)
SAMPLE_NUMBER = 1_743_945


def describe_locale(code: str) -> str:
    """Return the name of a locale in its own language, such as "English (India): 28 Nov 2026; 17,43,945"."""
    with force_locale(code):
        name = get_locale().get_display_name()
        return f"{name}: {format_date(SAMPLE_DAY)}; {format_decimal(SAMPLE_NUMBER)}"
