"""The bounds of the attacks: which figures break them."""

from collections import Counter
from decimal import Decimal

from benchmarks.abuse.attacks import Bounds
from benchmarks.abuse.observation import Observation
from benchmarks.abuse.results import HEADS, find_broken, format_row
from benchmarks.abuse.setting import BUDGET_USD, Measured
from benchmarks.fairness import Calls

BOUNDS = Bounds()


def measured(milliseconds: float = 10.0, livez_ms: float = 10.0, *, refused: int = 0) -> Measured:
    calls = Calls([1.0, 2.0], [milliseconds] * 2, Counter({"overloaded": refused}))
    return Measured(Observation(calls, livez_ms), memory_mb=150)


def test_figures_within_the_bounds_break_none() -> None:
    figures = measured(BOUNDS.p50_ms, BOUNDS.block_ms)
    figures.spent_usd = BUDGET_USD
    assert find_broken(figures, BOUNDS) == []


def test_every_broken_bound_is_named_with_its_value() -> None:
    figures = measured(2001, 501, refused=1)
    figures.memory_mb, figures.spent_usd, figures.watchdog_reports = 401, BUDGET_USD + Decimal("0.01"), 1
    assert find_broken(figures, BOUNDS) == [
        "refused calls: 1, at most 0",
        "p50 in ms: 2,001, at most 100",
        "p99 in ms: 2,001, at most 1,000",
        "longest call in ms: 2,001, at most 2,000",
        "longest block in ms: 501, at most 500",
        "reports of the watchdog: 1, at most 0",
        "memory in MB: 401, at most 400",
        "overspent US dollars: 0.01, at most 0",
    ]


def test_a_measurement_without_answers_proves_nothing() -> None:
    figures = Measured(Observation(), has_ended=True, spent_usd=Decimal(0))
    assert find_broken(figures, BOUNDS) == [
        "the server has ended",
        "no call of the other organization was answered",
        "no call under the budget was answered",
    ]


def test_a_row_has_a_cell_for_each_heading() -> None:
    row = format_row(measured(12.4), ("attack", "SQLite", "this checkout"))
    assert dict(zip(HEADS, row, strict=True)) == {
        "attack": "attack",
        "database": "SQLite",
        "revision": "this checkout",
        "refused": "0",
        "p50 ms": "12",
        "p99 ms": "12",
        "longest ms": "12",
        "longest block ms": "10",
        "memory MB": "150",
        "overspent USD": "-",
    }
