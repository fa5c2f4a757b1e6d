"""Overview of an organization's calls: totals by day, model and error, and answer times."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from glific_gpt.calls.daily_totals import DAY, FAILURE_CODE, to_date
from glific_gpt.calls.tables import Call, DailyTotals
from glific_gpt.clock import now
from glific_gpt.usage import totals
from glific_gpt.usage.answer_times import AnswerTimes, measure_answer_times
from glific_gpt.usage.totals import DELETED_COLUMNS, SUM_COLUMNS, UsageTotals

Days = Literal[7, 30, 90]

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Overview:
    """Statistics of a period of whole days (UTC) that ends today, and of the period of the same length before it."""

    days: dict[date, UsageTotals]
    """By day, the first day first. A day without calls has zeros."""
    models: dict[str | None, UsageTotals]
    """By requested model, the most used first. The key None is for calls that failed before a model was chosen."""
    errors: dict[str, int]
    """Number of failed calls by error_code, the most frequent first."""
    synchronous: AnswerTimes
    deferred: AnswerTimes
    total: UsageTotals
    previous: UsageTotals
    """Total of the previous period."""
    previous_synchronous: AnswerTimes


class _Group(NamedTuple):
    """Totals of calls of one day and model with the same outcome. Deleted calls are groups of their own."""

    day: date
    model: str | None
    failure: str | None
    totals: UsageTotals


def build_overview(session: Session, organization_id: int, days: Days, *, today: date | None = None) -> Overview:
    """Build the overview of the last `days` days. Always three queries."""
    last = today or now().date()
    first = last - (days - 1) * ONE_DAY
    previous_start = _midnight(first - days * ONE_DAY)
    groups = _query_groups(session, organization_id, previous_start, _midnight(last + ONE_DAY))
    current = [group for group in groups if group.day >= first]
    synchronous, deferred = measure_answer_times(session, organization_id, _midnight(first), _midnight(last + ONE_DAY))
    previous_synchronous, _deferred = measure_answer_times(session, organization_id, previous_start, _midnight(first))
    return Overview(
        days=_by_day(current, first, days),
        models=_by_model(current),
        errors=_by_error(current),
        synchronous=synchronous,
        deferred=deferred,
        total=_total(current),
        previous=_total(group for group in groups if group.day < first),
        previous_synchronous=previous_synchronous,
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _query_groups(session: Session, organization_id: int, start: datetime, end: datetime) -> list[_Group]:
    calls = (
        select(DAY, Call.model_asked, FAILURE_CODE, *SUM_COLUMNS)
        .where(Call.organization_id == organization_id, Call.started_at >= start, Call.started_at < end)
        .group_by(DAY, Call.model_asked, FAILURE_CODE)
    )
    model, failure = func.nullif(DailyTotals.model, ""), func.nullif(DailyTotals.failure, "")
    deleted = (
        select(DailyTotals.day, model, failure, *DELETED_COLUMNS)
        .where(DailyTotals.organization_id == organization_id)
        .where(DailyTotals.day >= start.date(), DailyTotals.day < end.date())
    )
    return [
        _Group(to_date(day), model, failure, totals.totals_of_group(failure, *sums))
        for day, model, failure, *sums in session.execute(union_all(calls, deleted))
    ]


def _by_day(groups: list[_Group], first: date, days: int) -> dict[date, UsageTotals]:
    by_day = {first + n * ONE_DAY: UsageTotals() for n in range(days)}
    for group in groups:
        by_day[group.day] += group.totals
    return by_day


def _by_model(groups: list[_Group]) -> dict[str | None, UsageTotals]:
    by_model: defaultdict[str | None, UsageTotals] = defaultdict(UsageTotals)
    for group in groups:
        by_model[group.model] += group.totals
    return dict(sorted(by_model.items(), key=lambda item: (-item[1].calls, item[0] or "")))


def _by_error(groups: list[_Group]) -> dict[str, int]:
    by_error: Counter[str] = Counter()
    for group in groups:
        if group.failure:
            by_error[group.failure] += group.totals.calls
    return dict(sorted(by_error.items(), key=lambda item: (-item[1], item[0])))


def _total(groups: Iterable[_Group]) -> UsageTotals:
    return sum((group.totals for group in groups), UsageTotals())
