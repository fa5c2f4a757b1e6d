"""Medians over rounds, of figures and of ratios between two systems in the same round."""

import statistics
from collections.abc import Sequence
from typing import Any

Rounds = Sequence[dict[str, Any]]


def median(rounds: Rounds, figure: str) -> float | None:
    """Return the median, or None if no round has this figure."""
    values = [each[figure] for each in rounds if each[figure] is not None]
    return statistics.median(values) if values else None


def median_ratio(ours: Rounds, theirs: Rounds, figure: str) -> float | None:
    """Return the median of the ratios in each round, as a machine's speed is about the same within a round."""
    pairs = [(our[figure], their[figure]) for our, their in zip(ours, theirs, strict=False)]
    ratios = [our / their for our, their in pairs if our is not None and their]
    return statistics.median(ratios) if ratios else None


def format_failures(rounds: Rounds) -> str:
    """Return the number of failed calls of all rounds, in all and by kind."""
    kinds: dict[str, int] = {}
    for each in rounds:
        for kind, count in each["failures"].items():
            kinds[kind] = kinds.get(kind, 0) + count
    details = ", ".join(f"{kind}: {count:,}" for kind, count in sorted(kinds.items()))
    return f"{sum(kinds.values()):,} ({details})" if kinds else "0"
