"""Answer times: percentiles and a histogram of successful calls, and time-outs, compared with Glific's five seconds."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import and_, func, null, or_, select, union_all
from sqlalchemy.orm import Session

from glific_gpt.calls.daily_totals import ANSWER_TIME, RESOLUTION_MS
from glific_gpt.calls.tables import Call, DailyTotals, Delivery
from glific_gpt.errors import DeadlineExceeded
from glific_gpt.usage.local_days import Period

BUCKET_EDGES_MS = (0, 500, 1000, 2000, 3000, 4000, 5000)
"""Lower edges of the histogram's buckets. The last bucket has no upper edge: its answers were too late for Glific."""


@dataclass(frozen=True)
class AnswerTimeBucket:
    """One bucket of the histogram."""

    from_ms: int
    to_ms: int | None
    """None for the last bucket."""
    calls: int


@dataclass(frozen=True)
class AnswerTimes:
    """Statistics of the successful calls of a period."""

    calls: int
    p50_ms: int | None
    """Median in milliseconds; None without calls."""
    p95_ms: int | None
    buckets: tuple[AnswerTimeBucket, ...]
    timed_out: int
    """Number of calls that got no answer before the deadline. `calls` and `buckets` do not include them."""

    @property
    def too_late(self) -> int:
        """Number of people who got no answer in time."""
        return self.late + self.timed_out

    @property
    def late(self) -> int:
        """Number of answers that took five seconds or more."""
        return self.buckets[-1].calls


def measure_answer_times(session: Session, organization_id: int, period: Period) -> tuple[AnswerTimes, AnswerTimes]:
    """Return the times of synchronous answers and of deferred answers.

    The time of a deferred answer is that of its call, from arrival to the finished answer.
    """
    is_deferred = Delivery.call_id.is_not(None)
    is_answered = and_(Call.status == "ok", Call.duration_ms.is_not(None))
    calls = (
        select(is_deferred, Call.error_code, ANSWER_TIME, func.count(), null().cast(DailyTotals.answer_times.type))
        .outerjoin(Delivery, Delivery.call_id == Call.call_id)
        .where(Call.organization_id == organization_id)
        .where(Call.started_at >= period.start, Call.started_at < period.end)
        .where(or_(is_answered, Call.error_code == DeadlineExceeded.code))
        .group_by(is_deferred, Call.error_code, ANSWER_TIME)
    )
    deleted = (
        select(DailyTotals.is_deferred, DailyTotals.failure, null(), DailyTotals.calls, DailyTotals.answer_times)
        .where(DailyTotals.organization_id == organization_id, DailyTotals.failure.in_(("", DeadlineExceeded.code)))
        .where(DailyTotals.day >= period.first, DailyTotals.day < period.following)
    )
    steps: dict[bool, Counter[int]] = {False: Counter(), True: Counter()}
    timed_out: Counter[bool] = Counter()
    for deferred, failure, time, count, answer_times in session.execute(union_all(calls, deleted)):
        if failure:
            timed_out[bool(deferred)] += count
        else:
            steps[bool(deferred)].update(_read_steps(answer_times) if time is None else {time: count})
    return _summarize(steps[False], timed_out[False]), _summarize(steps[True], timed_out[True])


def _read_steps(answer_times: Mapping[str, int]) -> dict[int, int]:
    """Convert the column of DailyTotals, whose keys are texts."""
    return {int(step): calls for step, calls in answer_times.items()}


def _summarize(steps: Mapping[int, int], timed_out: int) -> AnswerTimes:
    p50, p95 = _percentile(steps, 50), _percentile(steps, 95)
    return AnswerTimes(sum(steps.values()), p50, p95, tuple(_buckets(steps)), timed_out)


def _percentile(steps: Mapping[int, int], percent: int) -> int | None:
    """Return the upper edge, in milliseconds, of the step that contains the percentile."""
    total, seen = sum(steps.values()), 0
    for step in sorted(steps):
        seen += steps[step]
        if seen * 100 >= total * percent:
            return (step + 1) * RESOLUTION_MS
    return None


def _buckets(steps: Mapping[int, int]) -> Iterator[AnswerTimeBucket]:
    for start, end in zip(BUCKET_EDGES_MS, (*BUCKET_EDGES_MS[1:], None), strict=True):
        interval = range(start // RESOLUTION_MS, end // RESOLUTION_MS if end else sys.maxsize)
        yield AnswerTimeBucket(start, end, sum(calls for step, calls in steps.items() if step in interval))
