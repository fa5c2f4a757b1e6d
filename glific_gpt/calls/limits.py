"""Limits on calls: questions of a contact in 24 hours, and spending of an organization in a month."""

from datetime import timedelta
from decimal import Decimal
from typing import cast

from sqlalchemy import Table, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from glific_gpt.calls.context import CallContext
from glific_gpt.calls.tables import Call
from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import now
from glific_gpt.database import Statement, Usd, insert_if_absent
from glific_gpt.errors import BadUpstreamReply, BudgetExceeded, ContactLimit, DeadlineExceeded, GlificGptError
from glific_gpt.functions.contract import FunctionBody
from glific_gpt.models import prices
from glific_gpt.organizations.tables import MonthlySpend, Organization

MONTHLY_SPEND = cast("Table", MonthlySpend.__table__)
DAY = timedelta(days=1)
HOUR_SECONDS = 3600

BYTES_PER_TOKEN = 3
"""A cautious estimate: English has about four, and other scripts have fewer characters but more bytes."""
DEFAULT_OUTPUT_TOKENS = 1000
"""Output tokens that are reserved for a call without max_tokens."""
MILLION = 1_000_000

POSSIBLY_CHARGED = DeadlineExceeded | BadUpstreamReply
"""Errors after which OpenAI may or may not have charged for the call."""

# SQLAlchemy reserves the names of columns in UPDATE statements, so parameters of conditions need other names.
SETTLE = (
    update(MONTHLY_SPEND)
    .where(
        MONTHLY_SPEND.c.organization_id == bindparam("of_organization"), MONTHLY_SPEND.c.month == bindparam("of_month")
    )
    .values(usd=MONTHLY_SPEND.c.usd + bindparam("difference", type_=Usd()))
)


def has_limits(tenant: Tenant) -> bool:
    """Return whether any limit counts the calls of this organization."""
    return tenant.contact_daily_limit is not None or tenant.monthly_budget_usd is not None


def check_contact(session: Session, tenant: Tenant, contact_id: int | None) -> None:
    """Count the contact's calls in the last 24 hours, this call's row included. Raises ContactLimit."""
    if tenant.contact_daily_limit is None or contact_id is None:
        return
    # The lock makes concurrent calls of an organization count one after the other. On SQLite the insert of the row
    # has already taken the only write lock. FOR NO KEY UPDATE (key_share) lets other inserts check their foreign key.
    lock = select(Organization.id).where(Organization.id == tenant.organization_id)
    session.execute(lock.with_for_update(key_share=True))
    query = select(func.count()).where(
        Call.organization_id == tenant.organization_id,
        Call.contact_id == contact_id,
        Call.started_at > now() - DAY,
        or_(Call.status.in_(("pending", "ok")), and_(Call.status == "started", Call.give_up_at > now())),
    )
    if (session.scalar(query) or 0) > tenant.contact_daily_limit:
        raise ContactLimit(retry_after=HOUR_SECONDS)


def reserve(session: Session, tenant: Tenant, context: CallContext, body: FunctionBody, size: int) -> Decimal:
    """Reserve the estimated cost of a call with a body of `size` bytes, so that concurrent calls cannot overspend.

    Returns the reserved amount in US dollars. A killed process leaves it spent, because OpenAI may have charged for
    the call. Raises BudgetExceeded.
    """
    if tenant.monthly_budget_usd is None:
        return Decimal(0)
    price = prices.prices_per_million(context.model_asked or "")
    if price is None:
        raise BudgetExceeded(
            f"The price of {context.model_asked} is not known, so it cannot be used under a monthly budget. "
            "Choose another model."
        )
    # High on purpose: the size includes the whole body, of which OpenAI gets only a part.
    tokens_in = Decimal(size) / BYTES_PER_TOKEN
    tokens_out = getattr(body, "max_tokens", None) or DEFAULT_OUTPUT_TOKENS
    estimate = (tokens_in * price.input + tokens_out * price.output) / MILLION
    _begin_month(session, context)
    if not _add(session, context, estimate, at_most=tenant.monthly_budget_usd):
        raise BudgetExceeded
    return estimate


def settle_statements(
    tenant: Tenant, context: CallContext, reserved: Decimal, error: GlificGptError | None
) -> list[Statement]:
    """Replace the reserved amount by the actual cost. The reservation stays if the cost cannot be known."""
    if tenant.monthly_budget_usd is None:
        return []
    cost = context.cost() if context.usage.model else None
    # Refused calls cost nothing, except those for which OpenAI may have produced an answer.
    if cost is None and error is not None and not isinstance(error, POSSIBLY_CHARGED):
        cost = Decimal(0)
    if cost is None:
        return []
    return [(SETTLE, _spend(context) | {"difference": cost - reserved})]


def _add(session: Session, context: CallContext, usd: Decimal, at_most: Decimal) -> bool:
    """Add to the month's spending in one conditional statement, so that concurrent calls cannot both take the rest."""
    spend = SETTLE.where(MONTHLY_SPEND.c.usd <= at_most - usd).returning(MONTHLY_SPEND.c.organization_id)
    return session.execute(spend, _spend(context) | {"difference": usd}).first() is not None


def _begin_month(session: Session, context: CallContext) -> None:
    """Create the month's row, starting with the cost of the calls before a budget was set."""
    key = (context.organization_id, _month(context))
    if session.get(MonthlySpend, key) is None:
        start = context.started_at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        this_month = (Call.organization_id == context.organization_id, Call.started_at >= start)
        spent = session.scalar(select(func.sum(Call.cost_usd)).where(*this_month)) or Decimal(0)
        # A concurrent call may insert the same row with the same sum.
        insert_if_absent(session, MonthlySpend(organization_id=key[0], month=key[1], usd=spent))


def _spend(context: CallContext) -> dict[str, object]:
    return {"of_organization": context.organization_id, "of_month": _month(context)}


def _month(context: CallContext) -> str:
    """The month in which the call began, even if it ends in the next one."""
    return f"{context.started_at:%Y-%m}"
