"""Metrics are those of successful calls. After a ramp, only the time after it counts."""

import pytest

from benchmarks.measurement import Metrics


def test_calls_per_second_are_counted_up_to_the_last_answer() -> None:
    assert Metrics.from_samples(
        [0.5, 1.0, 2.0], [500, 500, 1000], {}, ramp_seconds=0, seconds=1
    ).per_second == pytest.approx(1.5)


def test_after_a_ramp_only_the_time_with_an_even_load_counts() -> None:
    ended = [1.0, 3.5, 4.0, 4.5, 5.5]
    assert Metrics.from_samples(ended, [1.0] * 5, {}, ramp_seconds=3, seconds=5).per_second == pytest.approx(1.5)


def test_percentiles_are_measured_times() -> None:
    metrics = Metrics.from_samples([1.0], list(range(100, 0, -1)), {}, ramp_seconds=0, seconds=1)
    assert (metrics.p50, metrics.p99) == (51, 100)


def test_without_an_answer_there_are_failures_and_no_times() -> None:
    assert Metrics.from_samples([], [], {"503": 2}, ramp_seconds=0, seconds=1) == Metrics(
        0, {"503": 2}, 0.0, None, None
    )
