"""Medians over rounds, of what was measured and of ratios between sides in the same round."""

import statistics
from collections.abc import Sequence
from typing import Any

Rounds = Sequence[dict[str, Any]]


def median(rounds: Rounds, figure: str) -> float | None:
    """None where no round has it."""
    known = [each[figure] for each in rounds if each[figure] is not None]
    return statistics.median(known) if known else None


def median_ratio(ours: Rounds, theirs: Rounds, figure: str) -> float | None:
    """The median of the ratios round by round, as two sides of one round met the machine at about the same speed."""
    pairs = [(our[figure], their[figure]) for our, their in zip(ours, theirs, strict=False)]
    known = [our / their for our, their in pairs if our is not None and their]
    return statistics.median(known) if known else None


def format_failures(rounds: Rounds) -> str:
    """How many calls of all rounds failed, and how."""
    kinds: dict[str, int] = {}
    for each in rounds:
        for kind, count in each["failures"].items():
            kinds[kind] = kinds.get(kind, 0) + count
    how = ", ".join(f"{kind}: {count:,}" for kind, count in sorted(kinds.items()))
    return f"{sum(kinds.values()):,} ({how})" if kinds else "0"
