"""CSV export of calls, generated line by line, with formulas escaped."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, tzinfo

from flask_babel import gettext as _

from glific_gpt.calls.tables import Call
from glific_gpt.schemas import CallView

BYTE_ORDER_MARK = "\ufeff"
"""Excel needs it to recognize UTF-8."""

FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")
"""Spreadsheets run cells with these prefixes. Callers choose model names, so a cell can hold anything."""

COLUMNS = tuple(CallView.model_fields)


def generate_csv(calls: Iterable[Call], limit: int, zone: tzinfo = UTC) -> Iterator[str]:
    """Yield the CSV lines of at most `limit` calls, with times in `zone`. If there are more, the last line says so."""
    yield BYTE_ORDER_MARK + _line(COLUMNS)
    for number, call in enumerate(calls):
        if number == limit:
            yield _line([_("Only the newest %(number)s calls are in this file.", number=limit)])
            return
        yield _line(map(escape_formula, list_cells(call, zone)))


def list_cells(call: Call, zone: tzinfo = UTC) -> list[object]:
    """Return the values of COLUMNS: those of CallView, which takes much longer for 50,000 rows, with a local time."""
    computed: dict[str, object] = {
        "at": call.started_at.astimezone(zone).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "model": call.model_used or call.model_asked,
        # As text, because the number of a small sum would be written as 1e-05.
        "cost_usd": None if call.cost_usd is None else f"{call.cost_usd:f}",
    }
    return [computed[name] if name in computed else getattr(call, name) for name in COLUMNS]


def escape_formula(value: object) -> object:
    """Prefix text that a spreadsheet would run as a formula. Numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_PREFIXES) else value


def _line(cells: Iterable[object]) -> str:
    target = io.StringIO()
    csv.writer(target).writerow(cells)
    return target.getvalue()
