"""Tables and Mermaid charts in Markdown. GitHub renders both."""

import json
import math
from collections.abc import Sequence

NO_VALUE = "-"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table with names in the first column and numbers in the others."""
    rule = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (heads, rule, *rows))


def bar_chart(title: str, axis: str, values: Sequence[tuple[str, float]]) -> str:
    """Return a bar chart with an axis from zero."""
    names = ", ".join(json.dumps(name) for name, _ in values)
    heights = ", ".join(f"{value:.1f}" for _, value in values)
    maximum = _round_up(max((value for _, value in values), default=0))
    lines = ["xychart-beta", f"    title {json.dumps(title)}", f"    x-axis [{names}]"]
    lines += [f"    y-axis {json.dumps(axis)} 0 --> {maximum}", f"    bar [{heights}]"]
    return "\n".join(["```mermaid", *lines, "```"])


def format_number(value: float | None, digits: int = 0) -> str:
    return NO_VALUE if value is None else f"{value:,.{digits}f}"


def _round_up(value: float) -> int:
    """Round up to a number with one significant digit."""
    if value <= 1:
        return 1
    step: int = 10 ** int(math.log10(value))
    return math.ceil(value / step) * step
