"""The monthly budget of an organization: money is reserved before a call, and settled or given back afterwards."""

from contextlib import suppress
from decimal import Decimal
from typing import TypeAlias, cast

from sqlalchemy import Table, and_, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from glific_gpt.calls import daily_totals
from glific_gpt.calls.allowance import Allowance, Estimate
from glific_gpt.calls.context import CallContext
from glific_gpt.calls.request import ParsedCall
from glific_gpt.calls.tables import Call
from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import now
from glific_gpt.database import Statement, Usd, execute_all, insert_if_absent, reading, submit_large, transaction
from glific_gpt.errors import MSG_DATABASE_UNAVAILABLE, MSG_NO_PRICES, BudgetExceeded, Overloaded
from glific_gpt.functions.contract import THREAD_ID, Need
from glific_gpt.openai.hosts import serves_openai
from glific_gpt.openai.request_bodies import (
    MAX_FILE_SEARCHES,
    OVERHEAD_TOKENS,
    add_file_searches,
    max_history_tokens,
)
from glific_gpt.openai.traits import max_picture_tokens
from glific_gpt.organizations.tables import BudgetReservation, MonthlySpend
from glific_gpt.runtime import bridge, call_context

Month: TypeAlias = tuple[int, str]
"""An organization's id and a month, such as 2026-11: the key of MonthlySpend."""

PREPARE_TIMEOUT_SECONDS = 3.0
"""How long a call waits for the sum of its month. The sum continues, so that a later call finds it."""
SUM_TIMEOUT_SECONDS = 15.0
MAX_BEGUN_MONTHS = 10_000
_begun_months: set[Month] = set()
"""Months that have a row, as far as this process knows."""

SPEND = cast("Table", MonthlySpend.__table__)
RESERVATIONS = cast("Table", BudgetReservation.__table__)

# SQLAlchemy reserves the names of columns in UPDATE statements, so parameters of conditions need other names.
_THIS_MONTH = and_(SPEND.c.organization_id == bindparam("of_organization"), SPEND.c.month == bindparam("of_month"))
_THIS_CALL = RESERVATIONS.c.call_id == bindparam("of_call")
_RESERVED = func.coalesce(select(RESERVATIONS.c.usd).where(_THIS_CALL).scalar_subquery(), 0)

ADD = update(SPEND).where(_THIS_MONTH).values(usd=SPEND.c.usd + bindparam("usd_added", type_=Usd()))
LOCK_MONTH = update(SPEND).where(_THIS_MONTH).values(usd=SPEND.c.usd)
"""Everything that changes reservations locks the month first, so that amounts are given back once, without deadlocks.

A SELECT ... FOR UPDATE would not do inside one UPDATE: PostgreSQL reads other tables as they were before it waited.
"""
_IS_UNFINISHED = exists().where(Call.call_id == bindparam("of_call"), Call.duration_ms.is_(None))
REPLACE_RESERVATION = (
    update(SPEND)
    .where(_THIS_MONTH, _IS_UNFINISHED)
    .values(usd=SPEND.c.usd + bindparam("usd_spent", type_=Usd()) - _RESERVED)
)
DELETE_RESERVATION = delete(RESERVATIONS).where(_THIS_CALL)


def reserve(session: Session, tenant: Tenant, context: CallContext, parsed: ParsedCall) -> Allowance | None:
    """Reserve money for a call, so that concurrent calls cannot overspend. Return None without a budget.

    Raises BudgetExceeded if the rest of the budget does not pay for the question and a short answer.
    """
    budget = tenant.monthly_budget_usd
    if budget is None:
        return None
    if not serves_openai(tenant.base_url):
        raise BudgetExceeded(MSG_NO_PRICES)
    estimate, fallback = _estimate(context, context.model_asked or "", parsed), _estimate_fallback(context, parsed)
    begin_month(session, context)
    rest = budget - _lock_and_read(session, context)
    try:
        amount = _share(rest, estimate, fallback)
    except BudgetExceeded:
        # Killed processes may hold the rest. Housekeeping would give it back within a minute.
        if not give_back(session, _month_of(context)):
            raise
        amount = _share(budget - _lock_and_read(session, context), estimate, fallback)
    session.execute(ADD, _parameters(_month_of(context)) | {"usd_added": amount})
    organization_id, month = _month_of(context)
    row = {"call_id": context.call_id, "organization_id": organization_id, "month": month, "usd": amount}
    session.execute(RESERVATIONS.insert(), row)
    return Allowance(amount, tenant.base_url)


def find_allowance(session: Session, call_id: str) -> Allowance | None:
    """Return the money reserved for a deferred call; None if it was accepted without a budget."""
    row = session.get(BudgetReservation, call_id)
    return Allowance(row.usd) if row else None


def settle_statements(context: CallContext) -> list[Statement]:
    """Replace the reservation of a call by what it spent. Execute them before the statement that finishes its row.

    If the reservation was given back because the call seemed to be lost, the spent amount is added. If the call is
    finished already, nothing is added: a commit can succeed without a reply, and is then repeated.
    """
    if context.allowance is None:
        return []
    month, call = _parameters(_month_of(context)), {"of_call": context.call_id}
    return [
        (LOCK_MONTH, month),
        (REPLACE_RESERVATION, month | call | {"usd_spent": context.allowance.spent}),
        (DELETE_RESERVATION, call),
    ]


def give_back(session: Session, only: Month | None = None) -> bool:
    """Give back the reservations of calls that ended without settling them, and return whether there were any.

    Such a call was interrupted with its process, or its deferred answer was given up. A caller that has locked a month
    must name it, as `only`: to lock another one could lead to a deadlock.
    """
    found = _dead_reservations(session, only)
    for month in sorted({(row.organization_id, row.month) for row in found}):
        this_month = _parameters(month)
        session.execute(LOCK_MONTH, this_month)
        ids = [row.call_id for row in found if (row.organization_id, row.month) == month]
        # Another process may have given back the same reservations while this one waited for the lock.
        deleted = delete(RESERVATIONS).where(RESERVATIONS.c.call_id.in_(ids)).returning(RESERVATIONS.c.usd)
        usd = sum(session.scalars(deleted), Decimal(0))
        session.execute(ADD, this_month | {"usd_added": -usd})
    return bool(found)


def _dead_reservations(session: Session, only: Month | None) -> list[BudgetReservation]:
    is_alive = or_(Call.status == "pending", and_(Call.status == "started", Call.give_up_at >= now()))
    query = (
        select(BudgetReservation)
        .outerjoin(Call, Call.call_id == BudgetReservation.call_id)
        .where(or_(Call.id.is_(None), ~is_alive))
    )
    if only:
        organization_id, month = only
        query = query.where(BudgetReservation.organization_id == organization_id, BudgetReservation.month == month)
    return list(session.scalars(query))


def _share(rest: Decimal, estimate: Estimate, fallback: Estimate | None) -> Decimal:
    """Return the amount to reserve, which is that of the dearer model. Raises BudgetExceeded.

    A fallback that the rest does not pay for is not a reason to refuse the call: it is not asked then.
    """
    amount = estimate.share_of(rest)
    with suppress(BudgetExceeded):
        return max(amount, fallback.share_of(rest)) if fallback else amount
    return amount


def _estimate_fallback(context: CallContext, parsed: ParsedCall) -> Estimate | None:
    """Return None without a fallback, and for one without a known price, which is not asked under a budget."""
    if context.fallback_model is None:
        return None
    with suppress(BudgetExceeded):
        return _estimate(context, context.fallback_model, parsed)
    return None


def _estimate(context: CallContext, model: str, parsed: ParsedCall) -> Estimate:
    # Glific's ids, which are not part of the question, are counted too. A token is at least one byte long.
    question = parsed.body.model_dump_json(by_alias=True, exclude_none=True, exclude={THREAD_ID})
    input_tokens = len(question.encode()) + OVERHEAD_TOKENS + parsed.function.extra_input_tokens
    if context.memory:
        input_tokens += max_history_tokens(context.memory.turns)
    if Need.PICTURES in parsed.function.needs:
        input_tokens += max_picture_tokens(model)
    searches = MAX_FILE_SEARCHES if Need.FILE_SEARCH in parsed.function.needs else 0
    input_tokens = add_file_searches(input_tokens, searches)
    return Estimate.of(
        model, input_tokens, getattr(parsed.body, "max_tokens", None), file_searches=searches, base_url=context.base_url
    )


def prepare_month(tenant: Tenant, context: CallContext, seconds: float | None = PREPARE_TIMEOUT_SECONDS) -> None:
    """Create the month's row before the transaction of a call, and keep it even if the call is refused.

    To add up a month can take seconds, and calls of other organizations would wait for that transaction. It is done
    once, in the thread for large writes. Raises Overloaded if it takes longer than `seconds`, and the errors in
    UNAVAILABLE.
    """
    if tenant.monthly_budget_usd is None or _month_of(context) in _begun_months:
        return
    created = submit_large(context.organization_id, lambda: _create_month_in_thread(context))
    try:
        bridge.result_of(created, None if seconds is None else call_context.limit_wait(seconds))
    except TimeoutError:
        created.cancel()  # if it has begun, a later call finds the row
        raise Overloaded(MSG_DATABASE_UNAVAILABLE, retry_after=1) from None


def _create_month_in_thread(context: CallContext) -> None:
    month = _month_of(context)
    if month in _begun_months:
        return
    with reading(timeout=SUM_TIMEOUT_SECONDS) as session:
        row = None if session.get(MonthlySpend, month) else _first_row(session, context)
    if row is not None:
        with transaction() as session:
            insert_if_absent(session, row)
    if len(_begun_months) >= MAX_BEGUN_MONTHS:
        _begun_months.clear()
    _begun_months.add(month)


def begin_month(session: Session, context: CallContext) -> None:
    """Create the month's row, if `prepare_month` has not."""
    if session.get(MonthlySpend, _month_of(context)) is None:
        # A concurrent call may insert the same row with the same sum.
        insert_if_absent(session, _first_row(session, context))


def _first_row(session: Session, context: CallContext) -> MonthlySpend:
    """Return the month's row, starting with the cost of the calls before a budget was set."""
    organization_id, month = _month_of(context)
    start = context.started_at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    spent = session.scalar(daily_totals.cost_since(organization_id, start)) or Decimal(0)
    return MonthlySpend(organization_id=organization_id, month=month, usd=spent)


def _lock_and_read(session: Session, context: CallContext) -> Decimal:
    """Return the month's spending. Until the transaction ends, no other call changes it."""
    month = _parameters(_month_of(context))
    execute_all(session, [(LOCK_MONTH, month)])
    spent: Decimal = session.execute(select(SPEND.c.usd).where(_THIS_MONTH), month).scalar_one()
    return spent


def _month_of(context: CallContext) -> Month:
    """Return the month in which the call began, even if it ends in the next one."""
    return context.organization_id, f"{context.started_at:%Y-%m}"


def _parameters(month: Month) -> dict[str, object]:
    """Return the parameters of _THIS_MONTH."""
    organization_id, name = month
    return {"of_organization": organization_id, "of_month": name}
