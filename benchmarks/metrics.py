"""Figures: what one measurement says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Metrics:
    """Of the calls that were answered with 200, besides the number of those that were not."""

    calls: int
    failures: dict[str, int]
    """How many had which other status, or lost their connection."""
    per_second: float
    p50: float | None
    """Milliseconds; None where no call was answered."""
    p99: float | None

    @classmethod
    def of(
        cls,
        ended: Sequence[float],
        milliseconds: Sequence[float],
        failures: Mapping[str, int],
        ramp: float,
        seconds: float,
    ) -> "Metrics":
        times = sorted(milliseconds)
        rate = _per_second(ended, ramp, seconds)
        return cls(len(times), dict(failures), rate, _percentile(times, 0.5), _percentile(times, 0.99))


def _per_second(ended: Sequence[float], ramp: float, seconds: float) -> float:
    """After a ramp, as many calls begin as end until no more are made: only what ended in between counts."""
    if not ended:
        return 0.0
    if ramp:
        return sum(1 for moment in ended if ramp <= moment <= seconds) / (seconds - ramp)
    return len(ended) / max(ended)


def _percentile(times: Sequence[float], share: float) -> float | None:
    return times[min(len(times) - 1, int(len(times) * share))] if times else None
