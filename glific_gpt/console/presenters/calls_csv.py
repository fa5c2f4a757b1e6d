"""Calls as a sheet: a CSV that spreadsheets open, line by line, and that cannot make them calculate anything."""

import csv
import io
from collections.abc import Iterable, Iterator

from flask_babel import gettext as _

from glific_gpt.calls.tables import Call
from glific_gpt.schemas import CallView

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel takes UTF-8 for something else."""

FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets begin to calculate with; a model's name comes from the caller, who may write anything."""

COLUMNS = tuple(CallView.model_fields)


def generate_csv(calls: Iterable[Call], most: int) -> Iterator[str]:
    """That many of the calls; the last line says so if there are more."""
    yield BYTE_ORDER_MARK + _line(COLUMNS)
    for number, call in enumerate(calls):
        if number == most:
            yield _line([_("Only the newest %(number)s calls are in this file.", number=most)])
            return
        cells = CallView.of(call).model_dump(mode="json")
        # As text: JSON's number for a small sum would be 1e-05.
        cells["cost_usd"] = None if call.cost_usd is None else f"{call.cost_usd:f}"
        yield _line(escape_formula(cells[name]) for name in COLUMNS)


def escape_formula(value: object) -> object:
    """Only what may hold anything: a number of ours is a number."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_PREFIXES) else value


def _line(cells: Iterable[object]) -> str:
    target = io.StringIO()
    csv.writer(target).writerow(cells)
    return target.getvalue()
