"""Query of the monthly report: one statement for kept and deleted calls."""

from collections.abc import Collection
from typing import Any, Literal

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Select,
    SQLColumnExpression,
    Text,
    and_,
    case,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from glific_gpt.calls.daily_totals import FAILURE_CODE, IS_UNPRICED, OTHER_MODELS
from glific_gpt.calls.tables import Call, DailyTotals, Delivery
from glific_gpt.usage.months import Month
from glific_gpt.usage.report_lines import GLIFIC_TIMEOUT_MS

MAX_LINES = 50
"""Models, and flows, with a line of their own. Callers choose both, so an organization can have any number of them."""
OTHER_FLOWS = -1
"""The flow of the line of all others. Glific's ids of flows are positive."""

IS_IN_TIME = and_(Call.status == "ok", or_(Call.duration_ms < GLIFIC_TIMEOUT_MS, Delivery.state == "delivered"))
"""The answer came within Glific's five seconds, or was delivered to a flow that waited for it."""


def select_report(organization_id: int, month: Month) -> CompoundSelect[Any]:
    """Select the lines of one organization.

    The columns are: part of the report, organization, model, flow, failure code, whether deferred, answer times, and
    the numbers of a ReportLine. Failure codes and the two after it are those of deleted calls.
    """
    calls = _select_calls([organization_id], month)
    models, flows = _most_used(calls, calls.c.model), _most_used(calls, calls.c.flow)
    model = case((calls.c.model.in_(models), calls.c.model), (calls.c.model.is_not(None), OTHER_MODELS))
    flow = case((calls.c.flow.in_(flows), calls.c.flow), (calls.c.flow.is_not(None), OTHER_FLOWS))
    # One statement: calls that are deleted between two would be missing, or counted twice.
    return union_all(
        _select_lines(calls, "total"),
        _select_lines(calls, "model", model=model),
        _select_lines(calls, "flow", flow=flow),
        _select_deleted([organization_id], month),
    )


def select_totals(organization_ids: Collection[int], month: Month) -> CompoundSelect[Any]:
    """Select the totals of organizations, with the same columns."""
    calls = _select_calls(organization_ids, month)
    return union_all(
        _select_lines(calls, "total", organization=calls.c.organization), _select_deleted(organization_ids, month)
    )


def _select_calls(organization_ids: Collection[int], month: Month) -> CTE:
    return (
        select(
            Call.organization_id.label("organization"),
            Call.model_asked.label("model"),
            Call.flow_id.label("flow"),
            case((Call.status == "ok", Call.contact_id)).label("reached"),
            _one_if(Call.status == "ok").label("answered"),
            _one_if(IS_IN_TIME).label("in_time"),
            _one_if(FAILURE_CODE.is_not(None)).label("failures"),
            _one_if(Call.is_test.is_(True)).label("tests"),
            _one_if(Call.contact_forgotten).label("forgotten"),
            (func.coalesce(Call.input_tokens, 0) + func.coalesce(Call.output_tokens, 0)).label("tokens"),
            _one_if(IS_UNPRICED).label("unpriced"),
            Call.cost_usd.label("cost_usd"),
        )
        .outerjoin(Delivery, Delivery.call_id == Call.call_id)
        .where(Call.organization_id.in_(organization_ids))
        .where(Call.started_at >= month.start, Call.started_at < month.end)
        .cte("month_calls")
    )


def _one_if(condition: SQLColumnExpression[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)


def _most_used(calls: CTE, column: ColumnElement[Any]) -> Select[Any]:
    query = select(column).where(column.is_not(None)).group_by(column)
    return query.order_by(func.count().desc(), column).limit(MAX_LINES)


def _select_lines(
    calls: CTE,
    part: Literal["total", "model", "flow"],
    *,
    organization: ColumnElement[Any] | None = None,
    model: ColumnElement[Any] | None = None,
    flow: ColumnElement[Any] | None = None,
) -> Select[Any]:
    keys = [key for key in (organization, model, flow) if key is not None]
    names = ("answered", "in_time", "failures")
    return select(
        literal(part),
        null().cast(BigInteger) if organization is None else organization,
        null().cast(Text) if model is None else model,
        null().cast(BigInteger) if flow is None else flow,
        null().cast(Text),
        null().cast(DailyTotals.is_deferred.type),
        null().cast(DailyTotals.answer_times.type),
        func.count(),
        *(func.sum(calls.c[name]) for name in names),
        func.count(calls.c.reached.distinct()),
        *(func.sum(calls.c[name]) for name in ("tests", "forgotten", "tokens", "unpriced", "cost_usd")),
    ).group_by(*keys)


def _select_deleted(organization_ids: Collection[int], month: Month) -> Select[Any]:
    return (
        select(
            literal("deleted"),
            DailyTotals.organization_id,
            func.nullif(DailyTotals.model, ""),
            null().cast(BigInteger),
            func.nullif(DailyTotals.failure, ""),
            DailyTotals.is_deferred,
            DailyTotals.answer_times,
            DailyTotals.calls,
            *(literal(0) for _ in range(6)),
            DailyTotals.input_tokens + DailyTotals.output_tokens,
            DailyTotals.unpriced,
            DailyTotals.cost_usd,
        )
        .where(DailyTotals.organization_id.in_(organization_ids))
        .where(DailyTotals.day >= month.first, DailyTotals.day < month.following)
    )
