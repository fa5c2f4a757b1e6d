"""Tables and charts in Markdown; GitHub draws the charts, which are Mermaid's."""

import json
import math
from collections.abc import Sequence

NO_VALUE = "-"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column holds names, the others numbers."""
    rule = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (heads, rule, *rows))


def bar_chart(title: str, axis: str, values: Sequence[tuple[str, float]]) -> str:
    """A bar chart that begins at zero."""
    names = ", ".join(json.dumps(name) for name, _ in values)
    heights = ", ".join(f"{value:.1f}" for _, value in values)
    most = _round_up(max((value for _, value in values), default=0))
    lines = ["xychart-beta", f"    title {json.dumps(title)}", f"    x-axis [{names}]"]
    lines += [f"    y-axis {json.dumps(axis)} 0 --> {most}", f"    bar [{heights}]"]
    return "\n".join(["```mermaid", *lines, "```"])


def format_number(value: float | None, digits: int = 0) -> str:
    return NO_VALUE if value is None else f"{value:,.{digits}f}"


def _round_up(value: float) -> int:
    """To the next number of which the first digit alone is not zero."""
    if value <= 1:
        return 1
    step: int = 10 ** int(math.log10(value))
    return math.ceil(value / step) * step
