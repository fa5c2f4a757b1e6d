"""Figures: what any set of calls adds up to."""

from dataclasses import astuple, dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from glific_gpt.calls.tables import Call
from glific_gpt.clock import now
from glific_gpt.organizations.tables import MonthlySpend, Organization

FAILED_STATUSES = ("error", "interrupted")
"""The statuses of calls that failed."""

# What the calls of a group failed with; NULL for those that did not. Interrupted calls have no code of their own.
FAILURE_CODE: ColumnElement[str | None] = case((Call.status.in_(FAILED_STATUSES), func.coalesce(Call.error_code, Call.status)))


@dataclass(frozen=True)
class UsageTotals:
    """How many calls, how many of them failed, and what they used."""

    calls: int = 0
    failures: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    """Of the calls whose price is known."""
    unpriced: int = 0
    """How many calls used tokens whose price is not known."""

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def failure_share(self) -> float:
        """Between 0 and 1."""
        return self.failures / self.calls if self.calls else 0.0

    def __add__(self, other: "UsageTotals") -> "UsageTotals":
        return UsageTotals(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))


SUM_COLUMNS: tuple[ColumnElement[Any], ...] = (
    func.count(),
    func.sum(Call.input_tokens),
    func.sum(Call.output_tokens),
    func.sum(Call.cost_usd),
    func.sum(case((Call.model_used.is_not(None) & Call.cost_usd.is_(None), 1), else_=0)),
)
"""What `of` makes the figures of a group from."""


def totals_of_group(failure: str | None, calls: int, *used: int | Decimal | None) -> UsageTotals:
    """The figures of a group of calls that failed with the same code, or did not fail, from its SUMS."""
    input_tokens, output_tokens, cost_usd, unpriced = (value or 0 for value in used)
    return UsageTotals(
        calls=calls,
        failures=calls if failure else 0,
        input_tokens=int(input_tokens),
        output_tokens=int(output_tokens),
        cost_usd=Decimal(cost_usd),
        unpriced=int(unpriced),
    )


def spent_this_month(session: Session, organization: Organization) -> Decimal:
    """US dollars, with what is set aside for calls under way; the sum of the calls where no budget counts them."""
    today = now()
    counted = session.get(MonthlySpend, (organization.id, f"{today:%Y-%m}"))
    if organization.monthly_budget_usd is not None and counted is not None:
        return counted.usd
    first = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    mine = (Call.organization_id == organization.id, Call.started_at >= first)
    return session.scalar(select(func.sum(Call.cost_usd)).where(*mine)) or Decimal(0)
