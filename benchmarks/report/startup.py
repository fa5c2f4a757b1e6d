"""The section on start-up."""

import statistics
from typing import Any

from benchmarks.report.markdown import format_number, table

METHOD = """\
Time from `python -m glific_gpt.server` to the first response of `GET /livez`, on SQLite, in {starts} starts: median
{median} seconds, minimum {minimum}, maximum {maximum}. After each start, ten webhook calls were sent one after the
other. The table shows their medians over the starts:"""


def render_section(measured: list[dict[str, Any]]) -> str:
    seconds = [start["seconds"] for start in measured]
    medians = [statistics.median(times) for times in zip(*(start["first_calls_ms"] for start in measured), strict=True)]
    method = METHOD.format(
        starts=len(measured),
        median=format_number(statistics.median(seconds), 2),
        minimum=format_number(min(seconds), 2),
        maximum=format_number(max(seconds), 2),
    )
    heads = ["call", *(str(position) for position in range(1, len(medians) + 1))]
    return f"{method}\n\n{table(heads, [['ms', *(format_number(each, 1) for each in medians)]])}"
