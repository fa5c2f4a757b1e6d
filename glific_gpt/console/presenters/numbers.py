"""Localized formatting of numbers: counts, dollars, seconds, shares and days. The functions are template filters."""

from datetime import date
from decimal import Decimal

from flask_babel import format_currency, format_date, format_decimal, format_percent, get_locale
from flask_babel import gettext as _

from glific_gpt.console.blueprint import blueprint

CENT = Decimal("0.01")
SMALLEST_SHOWN = Decimal("0.0001")
SHORTEST_SHOWN_MS = 51
"""Shorter durations would be rounded to 0.0 seconds."""


@blueprint.app_template_filter("number")
def format_number(value: int) -> str:
    return str(format_decimal(value))


@blueprint.app_template_filter("dollars")
def format_dollars(value: Decimal | float) -> str:
    """Format US dollars. Sums below a cent get four decimals, since a call often costs less."""
    if 0 < value < SMALLEST_SHOWN:
        return f"< {_format_small(SMALLEST_SHOWN)}"
    return _format_small(value) if 0 < value < CENT else str(format_currency(value, "USD"))


@blueprint.app_template_filter("rupees")
def format_rupees(value: Decimal) -> str:
    return str(format_currency(value, "INR"))


def format_rate(rupees: Decimal) -> str:
    """Format a rate of exchange, with two to four decimals."""
    return str(format_decimal(rupees, "#,##0.00##"))


@blueprint.app_template_filter("seconds")
def format_seconds(milliseconds: int) -> str:
    """Format a duration with one decimal. One that would read 0.0 is "< 0.1 s"."""
    if milliseconds < SHORTEST_SHOWN_MS:
        return f"< {format_seconds(100)}"
    return str(_("%(number)s s", number=format_decimal(milliseconds / 1000, "#,##0.0")))


def format_bytes(size: int) -> str:
    """Format a size in binary units, as OpenAI counts them."""
    for unit, name in ((2**30, "GB"), (2**20, "MB")):
        if size >= unit:
            return f"{format_decimal(size / unit, '#,##0.#')} {name}"
    return f"{format_decimal(-(-size // 1024))} KB"


@blueprint.app_template_filter("percent")
def format_share(share: float) -> str:
    """Format a share between 0 and 1 as a percentage."""
    return str(format_percent(share, "#,##0.#%"))


def format_day(value: date) -> str:
    """Format a date without its year, such as 3 May."""
    return str(format_date(value, "MMM d" if str(get_locale()) == "en_US" else "d MMM"))


@blueprint.app_template_filter("date")
def format_full_date(value: date) -> str:
    """Format a date with its year, such as 3 May 2026."""
    return str(format_date(value, "medium"))


def _format_small(value: Decimal | float) -> str:
    # Without currency_digits=False, Babel would round to the two decimal places of the currency.
    return str(format_currency(value, "USD", format="¤0.0000", currency_digits=False))
