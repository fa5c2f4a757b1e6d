"""The overview of an organization's calls: by day, by model, by error, and how long answers took."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from glific_gpt.calls.tables import Call
from glific_gpt.clock import now
from glific_gpt.usage import totals
from glific_gpt.usage.answer_times import AnswerTimes, measure_answer_times
from glific_gpt.usage.totals import FAILURE_CODE, SUM_COLUMNS, UsageTotals

Days = Literal[7, 30, 90]

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Overview:
    """A period of whole days (UTC) that ends today."""

    days: dict[date, UsageTotals]
    """The first day first; a day without calls has zeros."""
    models: dict[str | None, UsageTotals]
    """By the model that was to be used, the most used first; None for calls that failed before one was known."""
    errors: dict[str, int]
    """How many calls failed with which error_code, the most frequent first."""
    in_time: AnswerTimes
    """Of answers that came in their request."""
    later: AnswerTimes
    """Of answers that came later, to a flow that waited."""
    total: UsageTotals
    before: UsageTotals
    """The total of as many days before these."""
    in_time_before: AnswerTimes
    """Of answers that came in their request in those."""


class _Group(NamedTuple):
    """The calls of one day and model that ended in the same way."""

    day: date
    model: str | None
    failure: str | None
    figures: UsageTotals


def build_overview(session: Session, organization_id: int, days: Days, *, today: date | None = None) -> Overview:
    """Three queries, however many calls there are."""
    last = today or now().date()
    first = last - (days - 1) * DAY
    earlier = _midnight(first - days * DAY)
    groups = _groups(session, organization_id, earlier, _midnight(last + DAY))
    inside = [group for group in groups if group.day >= first]
    in_time, later = measure_answer_times(session, organization_id, _midnight(first), _midnight(last + DAY))
    in_time_before, _later = measure_answer_times(session, organization_id, earlier, _midnight(first))
    return Overview(
        days=_by_day(inside, first, days),
        models=_by_model(inside),
        errors=_errors(inside),
        in_time=in_time,
        later=later,
        total=_total(inside),
        before=_total(group for group in groups if group.day < first),
        in_time_before=in_time_before,
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _groups(session: Session, organization_id: int, start: datetime, end: datetime) -> list[_Group]:
    day = func.date(Call.started_at)
    query = (
        select(day, Call.model_asked, FAILURE_CODE, *SUM_COLUMNS)
        .where(Call.organization_id == organization_id, Call.started_at >= start, Call.started_at < end)
        .group_by(day, Call.model_asked, FAILURE_CODE)
    )
    # SQLite has text for a date.
    return [
        _Group(date.fromisoformat(str(day)), model, failure, totals.totals_of_group(failure, *sums))
        for day, model, failure, *sums in session.execute(query)
    ]


def _by_day(groups: list[_Group], first: date, days: int) -> dict[date, UsageTotals]:
    known = {first + n * DAY: UsageTotals() for n in range(days)}
    for group in groups:
        known[group.day] += group.figures
    return known


def _by_model(groups: list[_Group]) -> dict[str | None, UsageTotals]:
    known: defaultdict[str | None, UsageTotals] = defaultdict(UsageTotals)
    for group in groups:
        known[group.model] += group.figures
    return dict(sorted(known.items(), key=lambda item: (-item[1].calls, item[0] or "")))


def _errors(groups: list[_Group]) -> dict[str, int]:
    known: Counter[str] = Counter()
    for group in groups:
        if group.failure:
            known[group.failure] += group.figures.calls
    return dict(sorted(known.items(), key=lambda item: (-item[1], item[0])))


def _total(groups: Iterable[_Group]) -> UsageTotals:
    return sum((group.figures for group in groups), UsageTotals())
