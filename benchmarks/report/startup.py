"""The section on start-up."""

import statistics
from typing import Any

from benchmarks.report.markdown import format_number, table

METHOD = """\
From `python -m glific_gpt.server` to the first answered `GET /livez`, on SQLite, {starts} starts: {median} seconds in
the median, {least} at the least, {most} at the most. Then ten webhook calls, one after the other; medians over the
starts, in milliseconds:"""


def render_section(measured: list[dict[str, Any]]) -> str:
    seconds = [start["seconds"] for start in measured]
    middle, least, most = (format_number(each, 2) for each in (statistics.median(seconds), min(seconds), max(seconds)))
    medians = [statistics.median(times) for times in zip(*(start["first_calls_ms"] for start in measured), strict=True)]
    words = METHOD.format(starts=len(measured), median=middle, least=least, most=most)
    heads = ["call", *(str(position) for position in range(1, len(medians) + 1))]
    return f"{words}\n\n{table(heads, [['ms', *(format_number(each, 1) for each in medians)]])}"
