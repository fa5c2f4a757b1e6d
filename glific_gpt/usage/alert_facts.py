"""Facts of organizations that alerts are made from, each read with one statement for all of them."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import and_, exists, func, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from glific_gpt.audit.actions import Action
from glific_gpt.audit.tables import AuditEntry
from glific_gpt.calls.daily_totals import FAILED_STATUSES, FAILURE_CODE
from glific_gpt.calls.tables import FAILED_DELIVERY_STATES, Call, DailyTotals, Delivery
from glific_gpt.clock import now
from glific_gpt.errors import BudgetExceeded, ModelNotFound
from glific_gpt.glific.responses import FLOW_NOT_WAITING
from glific_gpt.organizations.tables import MonthlySpend

BUDGET_SETTING = "monthly_budget_usd"
MAX_CHANGES = 1000
"""Newest changes of settings that are read. Older ones are unlikely to be later than a refused call."""


@dataclass(frozen=True)
class Outcomes:
    """Finished calls of a period."""

    calls: int
    failures: int
    error_code: str | None
    """The most frequent failure."""


def month_start() -> datetime:
    """Return the first moment (UTC) of the month."""
    return now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def count_outcomes(session: Session, ids: Collection[int], since: datetime) -> dict[int, Outcomes]:
    """Return the finished calls of each of these organizations that has any."""
    query = (
        select(Call.organization_id, FAILURE_CODE, func.count())
        .where(Call.organization_id.in_(ids), Call.started_at >= since)
        .where(Call.status.in_(("ok", *FAILED_STATUSES)))
        .group_by(Call.organization_id, FAILURE_CODE)
        .order_by(func.count().desc(), FAILURE_CODE)
    )
    by_organization: defaultdict[int, list[tuple[str | None, int]]] = defaultdict(list)
    for organization_id, code, count in session.execute(query):
        by_organization[organization_id].append((code, count))
    return {organization_id: _summarize(counts) for organization_id, counts in by_organization.items()}


def _summarize(counts: list[tuple[str | None, int]]) -> Outcomes:
    failures = [(code, count) for code, count in counts if code]
    calls = sum(count for _, count in counts)
    return Outcomes(calls, sum(count for _, count in failures), failures[0][0] if failures else None)


def count_undelivered(session: Session, ids: Collection[int], since: datetime) -> dict[int, int]:
    """Return the number of answers that did not, or may not have, reached their flow since then."""
    undelivered = (Delivery.state.in_(FAILED_DELIVERY_STATES), Delivery.ended_at >= since)
    query = select(Delivery.organization_id, func.count()).where(Delivery.organization_id.in_(ids), *undelivered)
    return dict(session.execute(query.group_by(Delivery.organization_id)).all())


def read_spending(session: Session, ids: Collection[int]) -> Mapping[int, Decimal]:
    """Return the US dollars spent in this month by organizations with a budget, as `totals.spent_this_month` does."""
    if not ids:
        return {}
    month = (MonthlySpend.organization_id.in_(ids), MonthlySpend.month == f"{now():%Y-%m}")
    spent = {row.organization_id: row.usd for row in session.scalars(select(MonthlySpend).where(*month))}
    missing = set(ids) - set(spent)
    if missing:
        spent |= _sum_costs(session, missing)
    return defaultdict(Decimal, spent)


def _sum_costs(session: Session, ids: Collection[int]) -> dict[int, Decimal]:
    """Sum up the calls of organizations whose month has no row yet: it is written with the next call."""
    first = month_start()
    calls = select(Call.organization_id, Call.cost_usd).where(Call.organization_id.in_(ids), Call.started_at >= first)
    deleted = select(DailyTotals.organization_id, DailyTotals.cost_usd).where(
        DailyTotals.organization_id.in_(ids), DailyTotals.day >= first.date()
    )
    costs = union_all(calls, deleted).subquery()
    query = select(costs.c.organization_id, func.sum(costs.c.cost_usd)).group_by(costs.c.organization_id)
    return {organization_id: usd for organization_id, usd in session.execute(query) if usd is not None}


def find_refused(session: Session, ids: Collection[int], since: datetime) -> set[int]:
    """Return the organizations whose budget has refused a call since then, in this month and under this budget."""
    if not ids:
        return set()
    query = (
        select(Call.organization_id, func.max(Call.started_at))
        # A call with a detail was refused for its model, whose price is not known.
        .where(Call.error_code == BudgetExceeded.code, Call.error_detail.is_(None))
        .where(Call.organization_id.in_(ids), Call.started_at >= max(since, month_start()))
        .group_by(Call.organization_id)
    )
    refused = dict(session.execute(query).all())
    changed = _last_budget_changes(session, refused) if refused else {}
    return {organization_id for organization_id, at in refused.items() if at > changed.get(organization_id, since)}


def _last_budget_changes(session: Session, ids: Collection[int]) -> dict[int, datetime]:
    """Return when the budgets were changed in this month. Settings change rarely, so all their changes are read."""
    entries = (
        select(AuditEntry)
        .where(AuditEntry.organization_id.in_(ids), AuditEntry.action == Action.ORGANIZATION_CHANGED.value)
        .where(AuditEntry.at >= month_start())
        .order_by(AuditEntry.id.desc())
        .limit(MAX_CHANGES)
    )
    changes = [entry for entry in session.scalars(entries) if BUDGET_SETTING in entry.detail.get("changed", ())]
    return {entry.organization_id: entry.at for entry in reversed(changes) if entry.organization_id is not None}


def find_refused_deliveries(session: Session, ids: Collection[int], since: datetime) -> set[int]:
    """Return the organizations whose last delivery since then failed, other than because the flow stopped waiting."""
    if not ids:
        return set()
    last_of_each = (
        select(Delivery.organization_id, func.max(Delivery.ended_at).label("ended_at"))
        # With the states, for the index.
        .where(Delivery.state.in_(("delivered", *FAILED_DELIVERY_STATES)), Delivery.ended_at >= since)
        .where(Delivery.organization_id.in_(ids))
        .where(or_(Delivery.last_response.is_(None), Delivery.last_response != FLOW_NOT_WAITING.message))
        .group_by(Delivery.organization_id)
        .subquery()
    )
    is_last = and_(
        Delivery.organization_id == last_of_each.c.organization_id, Delivery.ended_at == last_of_each.c.ended_at
    )
    failed = Delivery.state.in_(FAILED_DELIVERY_STATES)
    return set(session.scalars(select(Delivery.organization_id).join(last_of_each, is_last).where(failed)))


def find_retired_models(session: Session, ids: Collection[int], since: datetime) -> dict[int, str]:
    """Return a model of each organization that answered within a month, and that OpenAI has not found since then."""
    if not ids:
        return {}
    answer = aliased(Call)
    has_answered = exists().where(
        answer.organization_id == Call.organization_id,
        answer.model_asked == Call.model_asked,
        answer.status == "ok",
        answer.fallback_reason.is_(None),
        answer.started_at >= now() - timedelta(days=30),
    )
    query = (
        select(Call.organization_id, func.max(Call.model_asked))
        .where(Call.organization_id.in_(ids), Call.started_at >= since)
        .where(or_(Call.error_code == ModelNotFound.code, Call.fallback_reason == ModelNotFound.code), has_answered)
        .group_by(Call.organization_id)
    )
    return {organization_id: model for organization_id, model in session.execute(query) if model}
