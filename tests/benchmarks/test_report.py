"""The report is written from what was measured, by round."""

from typing import Any

from benchmarks.report import document
from benchmarks.systems.system import DIRECT, LITELLM, SQLITE

ABOUT = {"date": "2026-11-01", "machine": "2 cores", "versions": {"Python": "3.11.7"}}


def figures(per_second: float, **failures: int) -> dict[str, Any]:
    return {"calls": 10, "failures": failures, "per_second": per_second, "p50": 10.0, "p99": 20.0}


def rounds(*rates: float) -> list[dict[str, Any]]:
    return [{"many": figures(rate), "one": figures(rate)} for rate in rates]


def compared(**sides: list[dict[str, Any]]) -> dict[str, Any]:
    measured = {
        "upstream": "nginx 1",
        "many": {"seconds": 4.0},
        "one": {"seconds": 3.0},
        "left_out": ["Portkey: not installed."],
        "sides": {DIRECT: rounds(9000.0), **sides},
    }
    return {"comparison": {"about": ABOUT, "measured": measured}}


def test_a_part_that_was_not_measured_says_so() -> None:
    assert document.render({}).count("Not measured yet.") == len(document.SECTIONS)


def test_it_says_when_and_where_it_was_measured_and_what_was_left_out() -> None:
    text = document.render(compared())
    assert "Measured on 2026-11-01, 2 cores; Python 3.11.7." in text
    assert "Left out: Portkey: not installed." in text


def test_a_ratio_is_the_median_of_the_rounds_ratios_and_not_the_medians_ratio() -> None:
    text = document.render(compared(**{SQLITE: rounds(100, 400, 900), LITELLM: rounds(100, 200, 100)}))
    assert f"| {SQLITE} | 400 |" in text
    assert f"| {LITELLM} | 100 |" in text
    assert f"| {SQLITE} | 2.00 |" in text


def test_failures_are_counted_over_all_rounds_and_named() -> None:
    failing = [
        {"many": figures(1.0, **{"503": 2}), "one": figures(1.0)},
        {"many": figures(1.0), "one": figures(1.0, lost=1)},
    ]
    assert "3 (503: 2, lost: 1)" in document.render(compared(**{SQLITE: failing}))


def test_the_charts_axis_reaches_beyond_its_highest_bar() -> None:
    text = document.render(compared(**{SQLITE: rounds(1234.5)}))
    assert '"calls per second" 0 --> 2000' in text
    assert "bar [1234.5]" in text
