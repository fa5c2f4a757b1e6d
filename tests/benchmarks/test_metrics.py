"""Figures are of the calls that were answered, and after a ramp of the time when it is over."""

import pytest

from benchmarks.metrics import Metrics


def test_calls_per_second_are_counted_up_to_the_last_answer() -> None:
    assert Metrics.of([0.5, 1.0, 2.0], [500, 500, 1000], {}, ramp=0, seconds=1).per_second == pytest.approx(1.5)


def test_after_a_ramp_only_the_time_counts_in_which_calls_come_and_go_evenly() -> None:
    ended = [1.0, 3.5, 4.0, 4.5, 5.5]
    assert Metrics.of(ended, [1.0] * 5, {}, ramp=3, seconds=5).per_second == pytest.approx(1.5)


def test_percentiles_are_times_that_were_measured() -> None:
    figures = Metrics.of([1.0], list(range(100, 0, -1)), {}, ramp=0, seconds=1)
    assert (figures.p50, figures.p99) == (51, 100)


def test_where_nothing_was_answered_there_are_failures_and_no_times() -> None:
    assert Metrics.of([], [], {"503": 2}, ramp=0, seconds=1) == Metrics(0, {"503": 2}, 0.0, None, None)
