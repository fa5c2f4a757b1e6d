"""Metrics of one measurement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Metrics:
    """Throughput and response times of the calls with status 200, and the number of all others."""

    calls: int
    failures: dict[str, int]
    """Number of failed calls, by status or by connection error."""
    per_second: float
    p50: float | None
    """Milliseconds. None if no call succeeded."""
    p99: float | None

    @classmethod
    def from_samples(
        cls,
        ended: Sequence[float],
        milliseconds: Sequence[float],
        failures: Mapping[str, int],
        ramp_seconds: float,
        seconds: float,
    ) -> "Metrics":
        times = sorted(milliseconds)
        rate = _per_second(ended, ramp_seconds, seconds)
        return cls(len(times), dict(failures), rate, _percentile(times, 0.5), _percentile(times, 0.99))


def _per_second(ended: Sequence[float], ramp_seconds: float, seconds: float) -> float:
    """Return the calls per second.

    After a ramp, calls begin and end at the same rate until the last call is sent. Only calls that ended in this time
    are counted.
    """
    if not ended:
        return 0.0
    if ramp_seconds:
        return sum(1 for moment in ended if ramp_seconds <= moment <= seconds) / (seconds - ramp_seconds)
    return len(ended) / max(ended)


def _percentile(times: Sequence[float], share: float) -> float | None:
    return times[min(len(times) - 1, int(len(times) * share))] if times else None
