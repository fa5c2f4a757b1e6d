"""What an organization has spent of its budget in this month (UTC)."""

from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from glific_gpt.calls.tables import Call
from glific_gpt.clock import now
from glific_gpt.organizations.tables import MonthlySpend, Organization


def spent(session: Session, organization: Organization) -> Decimal:
    """US dollars, with what is set aside for calls under way; the sum of the calls where no budget counts them."""
    today = now()
    counted = session.get(MonthlySpend, (organization.id, f"{today:%Y-%m}"))
    if organization.monthly_budget_usd is not None and counted is not None:
        return counted.usd
    first = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    mine = (Call.organization_id == organization.id, Call.started_at >= first)
    return session.scalar(select(func.sum(Call.cost_usd)).where(*mine)) or Decimal(0)
