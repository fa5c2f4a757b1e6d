"""Daily totals of deleted calls, and the expressions that they share with reports.

A report reads calls and totals in one statement. With two statements, it could miss calls that are deleted in between,
or count them twice.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, case, func, select, union_all
from sqlalchemy.orm import Session

from glific_gpt.calls.tables import Call, DailyTotals
from glific_gpt.database import insert_if_absent, lock_rows

FAILED_STATUSES = ("error", "interrupted")
"""Statuses of failed calls."""

# The error code of a failed call, NULL otherwise. Interrupted calls have no code, so their status is used.
FAILURE_CODE: ColumnElement[str | None] = case(
    (Call.status.in_(FAILED_STATUSES), func.coalesce(Call.error_code, Call.status))
)

DAY: ColumnElement[Any] = func.date(Call.started_at)
"""The day (UTC) of a call: text on SQLite, a date on PostgreSQL. `to_date` converts both."""

IS_UNPRICED: ColumnElement[bool] = Call.model_used.is_not(None) & Call.cost_usd.is_(None)
"""True for a call that used tokens of an unknown price."""

RESOLUTION_MS = 10
"""Resolution of answer times. Grouping by it in SQL works on every database and needs no row per call."""

ANSWER_TIME: ColumnElement[int | None] = Call.duration_ms // RESOLUTION_MS
"""The answer time of a successful call, in steps of RESOLUTION_MS."""

DELETED_COLUMNS = (
    Call.call_id,
    Call.function,
    Call.model_asked,
    Call.model_used,
    Call.started_at,
    Call.input_tokens,
    Call.output_tokens,
    Call.cost_usd,
    DAY.label("day"),
    FAILURE_CODE.label("failure"),
    IS_UNPRICED.label("is_unpriced"),
    ANSWER_TIME.label("answer_time"),
)
"""The columns that `add` needs of calls."""

MAX_MODELS = 100
"""Models of an organization that have totals of their own on a day. Callers choose the names of models."""

OTHER_MODELS = "(other models)"
"""The model of the totals of all others. No call can ask for it, because names of models have no spaces."""


class _Key(NamedTuple):
    """The key of totals, without the organization."""

    day: date
    function: str
    model: str
    failure: str
    is_deferred: bool


def to_date(day: object) -> date:
    """Return the value of DAY as a date."""
    return date.fromisoformat(str(day))


def cost_since(organization_id: int, midnight: datetime) -> Select[Decimal | None]:
    """Select the cost of the organization's calls since a midnight (UTC), in US dollars; NULL without calls."""
    rows = select(Call.cost_usd.label("usd")).where(
        Call.organization_id == organization_id, Call.started_at >= midnight
    )
    deleted = select(DailyTotals.cost_usd).where(
        DailyTotals.organization_id == organization_id, DailyTotals.day >= midnight.date()
    )
    return select(func.sum(union_all(rows, deleted).subquery().c.usd))


def add(session: Session, organization_id: int, calls: Iterable[Row[Any]], deferred_ids: Collection[str]) -> None:
    """Add calls of an organization that the transaction has deleted, with their DELETED_COLUMNS, to its totals."""
    groups: defaultdict[_Key, list[Row[Any]]] = defaultdict(list)
    calls = list(calls)
    models_of_days = _find_models(session, organization_id, {to_date(call.day) for call in calls})
    for call in calls:
        day, failure = to_date(call.day), call.failure or ""
        model = _limit_model(call.model_asked or "", models_of_days[day])
        key = _Key(day, call.function, model, failure, call.call_id in deferred_ids)
        groups[key].append(call)
    for key, group in groups.items():
        insert_if_absent(session, _empty_totals(organization_id, key, group[0].started_at))
    for totals in _lock(session, organization_id, {key.day for key in groups}):
        key = _Key(totals.day, totals.function, totals.model, totals.failure, totals.is_deferred)
        if key in groups:
            _add_group(totals, groups[key])


def _find_models(session: Session, organization_id: int, days: Collection[date]) -> defaultdict[date, set[str]]:
    """Return the models that have totals, by day."""
    query = select(DailyTotals.day, DailyTotals.model).distinct()
    found: defaultdict[date, set[str]] = defaultdict(set)
    for day, model in session.execute(
        query.where(DailyTotals.organization_id == organization_id, DailyTotals.day.in_(days))
    ):
        found[day].add(model)
    return found


def _limit_model(model: str, known: set[str]) -> str:
    """Return the model, or OTHER_MODELS if it is a new one and the day has enough. Adds a new model to `known`."""
    if model and model not in known and len(known - {""}) >= MAX_MODELS:
        return OTHER_MODELS
    known.add(model)
    return model


def _empty_totals(organization_id: int, key: _Key, last_at: datetime) -> DailyTotals:
    return DailyTotals(
        organization_id=organization_id,
        **key._asdict(),
        calls=0,
        input_tokens=0,
        output_tokens=0,
        cost_usd=Decimal(0),
        unpriced=0,
        last_at=last_at,
        last_answered_at=None,
        answer_times={},
    )


def _lock(session: Session, organization_id: int, days: Collection[date]) -> list[DailyTotals]:
    query = select(DailyTotals).where(DailyTotals.organization_id == organization_id, DailyTotals.day.in_(days))
    return lock_rows(session, query.order_by(*DailyTotals.__table__.primary_key))


def _add_group(totals: DailyTotals, calls: Sequence[Row[Any]]) -> None:
    answered = [call.started_at for call in calls if call.model_used is not None]
    totals.calls += len(calls)
    totals.input_tokens += sum(call.input_tokens or 0 for call in calls)
    totals.output_tokens += sum(call.output_tokens or 0 for call in calls)
    totals.cost_usd += sum((call.cost_usd or Decimal(0) for call in calls), Decimal(0))
    totals.unpriced += sum(call.is_unpriced for call in calls)
    totals.last_at = max(totals.last_at, *(call.started_at for call in calls))
    totals.last_answered_at = max(filter(None, (totals.last_answered_at, *answered)), default=None)
    if not totals.failure:
        times = Counter(str(call.answer_time) for call in calls if call.answer_time is not None)
        # A new object: SQLAlchemy does not notice changes inside a JSON value.
        totals.answer_times = dict(times + Counter(totals.answer_times))
