"""Answer times: how long flows waited for good answers, against the five seconds that Glific waits."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from glific_gpt.calls.tables import Call, Delivery

RESOLUTION_MS = 10
"""Times are counted in steps of a hundredth of a second: small enough for percentiles, on every database."""

BUCKET_EDGES_MS = (0, 500, 1000, 2000, 3000, 4000, 5000)
"""Where the bars of the chart begin; the last one has no end, and what is in it came too late for Glific."""


@dataclass(frozen=True)
class AnswerTimeBucket:
    """How many answers took so long."""

    from_ms: int
    to_ms: int | None
    """None for the last bar."""
    calls: int


@dataclass(frozen=True)
class AnswerTimes:
    """How long the good answers took."""

    calls: int
    p50_ms: int | None
    """Half of them were no slower; None without any."""
    p95_ms: int | None
    bars: tuple[AnswerTimeBucket, ...]

    @property
    def late(self) -> int:
        """How many took five seconds or more."""
        return self.bars[-1].calls

    @property
    def late_share(self) -> float:
        """Between 0 and 1."""
        return self.late / self.calls if self.calls else 0.0


def measure_answer_times(
    session: Session, organization_id: int, start: datetime, end: datetime
) -> tuple[AnswerTimes, AnswerTimes]:
    """Of answers that came in their request, and of those that came later, to a flow that waited."""
    step, later = Call.duration_ms // RESOLUTION_MS, Delivery.call_id.is_not(None)
    query = (
        select(step, later, func.count())
        .outerjoin(Delivery, Delivery.call_id == Call.call_id)
        .where(Call.organization_id == organization_id, Call.started_at >= start, Call.started_at < end)
        .where(Call.status == "ok")
        .group_by(step, later)
    )
    steps: dict[bool, Counter[int]] = {False: Counter(), True: Counter()}
    for at, came_later, calls in session.execute(query):
        if at is not None:
            steps[bool(came_later)][at] = calls
    return _times(steps[False]), _times(steps[True])


def _times(steps: Mapping[int, int]) -> AnswerTimes:
    return AnswerTimes(sum(steps.values()), _percentile(steps, 50), _percentile(steps, 95), tuple(_bars(steps)))


def _percentile(steps: Mapping[int, int], percent: int) -> int | None:
    """The end of the step in which that part of the answers has come, in milliseconds."""
    total, so_far = sum(steps.values()), 0
    for step in sorted(steps):
        so_far += steps[step]
        if so_far * 100 >= total * percent:
            return (step + 1) * RESOLUTION_MS
    return None


def _bars(steps: Mapping[int, int]) -> Iterator[AnswerTimeBucket]:
    for start, end in zip(BUCKET_EDGES_MS, (*BUCKET_EDGES_MS[1:], None), strict=True):
        inside = range(start // RESOLUTION_MS, end // RESOLUTION_MS if end else sys.maxsize)
        yield AnswerTimeBucket(start, end, sum(calls for step, calls in steps.items() if step in inside))
