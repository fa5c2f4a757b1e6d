"""Limits on a call: what one contact may ask in a day, and what an organization may spend in a month."""

from datetime import timedelta
from decimal import Decimal
from typing import cast

from sqlalchemy import Table, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from glific_gpt.calls.context import CallContext
from glific_gpt.calls.tables import Call
from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import now
from glific_gpt.database import Usd, Write, insert_if_absent
from glific_gpt.errors import BadUpstreamReply, BudgetExceeded, ContactLimit, DeadlineExceeded, GlificGptError
from glific_gpt.functions.contract import FunctionBody
from glific_gpt.models import prices
from glific_gpt.organizations.tables import MonthlySpend, Organization

MONTHLY_SPEND = cast("Table", MonthlySpend.__table__)
DAY = timedelta(days=1)
HOUR_SECONDS = 3600

BYTES_PER_TOKEN = 3
"""A cautious guess: English has four, other scripts fewer characters but more bytes."""
DEFAULT_OUTPUT_TOKENS = 1000
MILLION = 1_000_000

POSSIBLY_CHARGED = DeadlineExceeded | BadUpstreamReply
"""After these nobody knows whether OpenAI charges the call."""


SETTLE = (
    update(MONTHLY_SPEND)
    .where(MONTHLY_SPEND.c.organization_id == bindparam("of_organization"), MONTHLY_SPEND.c.month == bindparam("of_month"))
    .values(usd=MONTHLY_SPEND.c.usd + bindparam("difference", type_=Usd()))
)


def has_limits(tenant: Tenant) -> bool:
    """Whether there is a limit that counts this organization's calls."""
    return tenant.contact_daily_limit is not None or tenant.monthly_budget_usd is not None


def check_contact(session: Session, tenant: Tenant, contact_id: int | None) -> None:
    """After this call's row was written. Raises ContactLimit when that is one too many in 24 hours."""
    if tenant.contact_daily_limit is None or contact_id is None:
        return
    # Calls at the same moment count one after the other. On SQLite the row that was written has seen to that.
    mine = select(Organization.id).where(Organization.id == tenant.organization_id)
    session.execute(mine.with_for_update(key_share=True))
    query = select(func.count()).where(
        Call.organization_id == tenant.organization_id,
        Call.contact_id == contact_id,
        Call.started_at > now() - DAY,
        or_(Call.status.in_(("pending", "ok")), and_(Call.status == "started", Call.give_up_at > now())),
    )
    if (session.scalar(query) or 0) > tenant.contact_daily_limit:
        raise ContactLimit(retry_after=HOUR_SECONDS)


def reserve(session: Session, tenant: Tenant, facts: CallContext, body: FunctionBody, size: int) -> Decimal:
    """Sets aside what a call with a body of that many bytes may cost, so that calls side by side cannot overspend.

    Returns what was set aside; a process that is killed leaves it spent, as OpenAI may well have charged it.
    Raises BudgetExceeded.
    """
    if tenant.monthly_budget_usd is None:
        return Decimal(0)
    price = prices.per_million(facts.model_asked or "")
    if price is None:
        raise BudgetExceeded(f"No price is known for {facts.model_asked}, so it cannot be used under a budget.")
    tokens_in = Decimal(size) / BYTES_PER_TOKEN
    tokens_out = getattr(body, "max_tokens", None) or DEFAULT_OUTPUT_TOKENS
    estimate = (tokens_in * price.input + tokens_out * price.output) / MILLION
    _begin_month(session, facts)
    if not _add(session, facts, estimate, at_most=tenant.monthly_budget_usd):
        raise BudgetExceeded
    return estimate


def settle_statements(tenant: Tenant, facts: CallContext, reserved: Decimal, error: GlificGptError | None) -> list[Write]:
    """Puts what the call did cost in the place of what was set aside, which stays where the cost cannot be known."""
    if tenant.monthly_budget_usd is None:
        return []
    cost = facts.cost() if facts.usage.model else None
    if cost is None and error is not None and not isinstance(error, POSSIBLY_CHARGED):
        cost = Decimal(0)
    if cost is None:
        return []
    return [(SETTLE, _spend(facts) | {"difference": cost - reserved})]


def _add(session: Session, facts: CallContext, usd: Decimal, at_most: Decimal) -> bool:
    """One statement, so that two calls at the same moment cannot both have the last of a budget."""
    spend = SETTLE.where(MONTHLY_SPEND.c.usd <= at_most - usd).returning(MONTHLY_SPEND.c.organization_id)
    return session.execute(spend, _spend(facts) | {"difference": usd}).first() is not None


def _begin_month(session: Session, facts: CallContext) -> None:
    """The month's row, with what calls have cost before there was a budget."""
    key = (facts.organization_id, _month(facts))
    if session.get(MonthlySpend, key) is None:
        start = facts.started_at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        mine = (Call.organization_id == facts.organization_id, Call.started_at >= start)
        spent = session.scalar(select(func.sum(Call.cost_usd)).where(*mine)) or Decimal(0)
        # Another call may begin the month at this moment, with the same sum.
        insert_if_absent(session, MonthlySpend(organization_id=key[0], month=key[1], usd=spent))


def _spend(facts: CallContext) -> dict[str, object]:
    return {"of_organization": facts.organization_id, "of_month": _month(facts)}


def _month(facts: CallContext) -> str:
    """That in which the call began, also when it ends in the next."""
    return f"{facts.started_at:%Y-%m}"
