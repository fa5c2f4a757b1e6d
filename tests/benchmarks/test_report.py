"""The report is written from the results of each round."""

from typing import Any

from benchmarks.report import document
from benchmarks.systems.system import DIRECT, LITELLM, POSTGRESQL, SQLITE

ABOUT = {"date": "2026-11-01", "machine": "2 cores", "versions": {"Python": "3.11.7"}}


def figures(per_second: float, **failures: int) -> dict[str, Any]:
    return {
        "calls": 10,
        "failures": failures,
        "per_second": per_second,
        "cpu_ms": 0.5,
        "p50": 10.0,
        "p99": 20.0,
    }


def rounds(*rates: float) -> list[dict[str, Any]]:
    return [{"concurrent": figures(rate), "sequential": figures(rate)} for rate in rates]


def comparison_results(**systems: list[dict[str, Any]]) -> dict[str, Any]:
    measured = {
        "upstream": "nginx 1",
        "concurrent": {"seconds": 4.0},
        "sequential": {"seconds": 3.0},
        "omitted": ["Portkey: not installed."],
        "systems": {DIRECT: rounds(9000.0), **systems},
    }
    return {"comparison": {"about": ABOUT, "measured": measured}}


def test_a_part_without_results_is_marked_as_not_measured() -> None:
    assert document.render({}).count("Not measured yet.") == len(document.SECTIONS)


def test_it_shows_the_date_the_machine_and_the_omitted_systems() -> None:
    text = document.render(comparison_results())
    assert "Measured on 2026-11-01, 2 cores; Python 3.11.7." in text
    assert "Omitted: Portkey: not installed." in text


def test_a_ratio_is_the_median_of_the_ratios_and_not_the_ratio_of_the_medians() -> None:
    text = document.render(comparison_results(**{SQLITE: rounds(100, 400, 900), LITELLM: rounds(100, 200, 100)}))
    assert f"| {SQLITE} | 400 |" in text
    assert f"| {LITELLM} | 100 |" in text
    assert f"| {SQLITE} | 2.00 |" in text


def test_failures_of_all_rounds_are_counted_by_kind() -> None:
    failing = [
        {"concurrent": figures(1.0, **{"503": 2}), "sequential": figures(1.0)},
        {"concurrent": figures(1.0), "sequential": figures(1.0, lost=1)},
    ]
    assert "3 (503: 2, lost: 1)" in document.render(comparison_results(**{SQLITE: failing}))


def test_the_axis_of_a_chart_is_longer_than_its_highest_bar() -> None:
    text = document.render(comparison_results(**{SQLITE: rounds(1234.5)}))
    assert '"calls per second" 0 --> 2000' in text
    assert "bar [1234.5]" in text


def test_it_compares_postgresql_with_sqlite() -> None:
    text = document.render(comparison_results(**{SQLITE: rounds(100, 200), POSTGRESQL: rounds(80, 180)}))
    assert f"| {POSTGRESQL} to {SQLITE} | 0.85 | 1.00 | 1.00 | 1.00 |" in text
