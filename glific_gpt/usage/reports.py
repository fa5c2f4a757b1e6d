"""Overview of an organization's calls: totals by day, model and error, and answer times."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from typing import Any, Literal, NamedTuple

from sqlalchemy import CTE, ColumnElement, Date, FromClause, Select, case, func, literal, null, select, union_all
from sqlalchemy.orm import Session

from glific_gpt.calls.daily_totals import FAILURE_CODE, OTHER_MODELS, to_date
from glific_gpt.calls.tables import Call, DailyTotals
from glific_gpt.usage import months, totals
from glific_gpt.usage.answer_times import AnswerTimes, measure_answer_times
from glific_gpt.usage.local_days import ONE_DAY, Period, day_of_call
from glific_gpt.usage.totals import DELETED_COLUMNS, SUM_COLUMNS, UsageTotals

Days = Literal[7, 30, 90]

MAX_MODELS = 50
"""Models that are listed. Callers choose the names, so an organization can have any number of them."""

_SUM_NAMES = [str(column.key) for column in SUM_COLUMNS]


@dataclass(frozen=True)
class Overview:
    """Statistics of a period of whole days that ends today, and of the period of the same length before it.

    Days are in a time zone. Of deleted calls only daily totals remain, so these have their day in UTC.
    """

    days: dict[date, UsageTotals]
    """By day, the first day first. A day without calls has zeros."""
    models: dict[str | None, UsageTotals]
    """By requested model, the most used first. The key None is for calls that failed before a model was chosen.

    Only the MAX_MODELS that are used most; the key OTHER_MODELS, the last one, is for all others.
    """
    errors: dict[str, int]
    """Number of failed calls by error_code, the most frequent first."""
    synchronous: AnswerTimes
    deferred: AnswerTimes
    total: UsageTotals
    previous: UsageTotals
    """Total of the previous period."""
    previous_synchronous: AnswerTimes


class _DayGroup(NamedTuple):
    """Totals of calls of one day with the same outcome."""

    day: date
    failure: str | None
    totals: UsageTotals


class _ModelGroup(NamedTuple):
    """Totals of calls of the current period that asked for one model, with the same outcome."""

    model: str | None
    totals: UsageTotals


def build_overview(
    session: Session, organization_id: int, days: Days, zone: tzinfo = UTC, *, today: date | None = None
) -> Overview:
    """Build the overview of the last `days` days in the time zone. Always three queries."""
    last = today or months.today(zone)
    first = last - (days - 1) * ONE_DAY
    period = Period(first, last + ONE_DAY, zone)
    previous_period = Period(first - days * ONE_DAY, first, zone)
    call_groups = _select_groups(organization_id, Period(previous_period.first, period.following, zone))
    groups, model_groups = _query_groups(session, call_groups, first)
    current = [group for group in groups if group.day >= first]
    synchronous, deferred = measure_answer_times(session, organization_id, period)
    previous_synchronous, _deferred = measure_answer_times(session, organization_id, previous_period)
    return Overview(
        days=_by_day(current, first, days),
        models=_by_model(model_groups),
        errors=_by_error(current),
        synchronous=synchronous,
        deferred=deferred,
        total=_total(current),
        previous=_total(group for group in groups if group.day < first),
        previous_synchronous=previous_synchronous,
    )


def _select_groups(organization_id: int, period: Period) -> CTE:
    """Select the totals of calls by day, model and failure. Deleted calls are groups of their own."""
    day = day_of_call(period).label("day")
    calls = (
        select(day, Call.model_asked.label("model"), FAILURE_CODE.label("failure"), *SUM_COLUMNS)
        .where(Call.organization_id == organization_id)
        .where(Call.started_at >= period.start, Call.started_at < period.end)
        # By its name: PostgreSQL does not know that two expressions with parameters are the same.
        .group_by("day", Call.model_asked, FAILURE_CODE)
    )
    model, failure = func.nullif(DailyTotals.model, ""), func.nullif(DailyTotals.failure, "")
    deleted = (
        select(DailyTotals.day, model, failure, *DELETED_COLUMNS)
        .where(DailyTotals.organization_id == organization_id)
        .where(DailyTotals.day >= period.first, DailyTotals.day < period.following)
    )
    return union_all(calls, deleted).cte("call_groups")


def _query_groups(session: Session, groups: CTE, first: date) -> tuple[list[_DayGroup], list[_ModelGroup]]:
    """Return the totals by day, and by model from the day `first` on. Their number does not depend on the callers."""
    by_model = _select_current(groups, first).subquery()
    # One statement: calls that are deleted between two would be missing, or counted twice.
    rows = session.execute(
        union_all(
            select(groups.c.day, null(), groups.c.failure, *_sums(groups)).group_by(groups.c.day, groups.c.failure),
            select(null(), by_model.c.model, by_model.c.failure, *_sums(by_model)).group_by(
                by_model.c.model, by_model.c.failure
            ),
        )
    )
    days, models = [], []
    for day, model, failure, *sums in rows:
        group_totals = totals.totals_of_group(failure, *sums)
        if day is None:
            models.append(_ModelGroup(model, group_totals))
        else:
            days.append(_DayGroup(to_date(day), failure, group_totals))
    return days, models


def _select_current(groups: CTE, first: date) -> Select[Any]:
    """Select the groups from the day `first` on, with OTHER_MODELS in place of models that are used less."""
    is_current = groups.c.day >= literal(first, Date)
    most_used = (
        select(groups.c.model)
        .where(is_current, groups.c.model != OTHER_MODELS)
        .group_by(groups.c.model)
        .order_by(func.sum(groups.c.calls).desc(), groups.c.model)
        .limit(MAX_MODELS)
    )
    model = case((groups.c.model.in_(most_used), groups.c.model), (groups.c.model.is_not(None), OTHER_MODELS))
    return select(model.label("model"), groups.c.failure, *(groups.c[name] for name in _SUM_NAMES)).where(is_current)


def _sums(groups: FromClause) -> list[ColumnElement[Any]]:
    return [func.sum(groups.c[name]) for name in _SUM_NAMES]


def _by_day(groups: list[_DayGroup], first: date, days: int) -> dict[date, UsageTotals]:
    by_day = {first + n * ONE_DAY: UsageTotals() for n in range(days)}
    for group in groups:
        by_day[group.day] += group.totals
    return by_day


def _by_model(groups: list[_ModelGroup]) -> dict[str | None, UsageTotals]:
    by_model: defaultdict[str | None, UsageTotals] = defaultdict(UsageTotals)
    for group in groups:
        by_model[group.model] += group.totals
    return dict(sorted(by_model.items(), key=lambda item: (item[0] == OTHER_MODELS, -item[1].calls, item[0] or "")))


def _by_error(groups: list[_DayGroup]) -> dict[str, int]:
    by_error: Counter[str] = Counter()
    for group in groups:
        if group.failure:
            by_error[group.failure] += group.totals.calls
    return dict(sorted(by_error.items(), key=lambda item: (-item[1], item[0])))


def _total(groups: Iterable[_DayGroup]) -> UsageTotals:
    return sum((group.totals for group in groups), UsageTotals())
