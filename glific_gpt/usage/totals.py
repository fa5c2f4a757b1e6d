"""Usage totals of a set of calls, and the sums in SQL that they are built from."""

from dataclasses import astuple, dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, case, func
from sqlalchemy.orm import Session

from glific_gpt.calls.daily_totals import IS_UNPRICED, cost_since
from glific_gpt.calls.tables import Call, DailyTotals
from glific_gpt.clock import now
from glific_gpt.organizations.tables import MonthlySpend, Organization


@dataclass(frozen=True)
class UsageTotals:
    """Numbers of calls and failures, and the tokens and US dollars used."""

    calls: int = 0
    failures: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    """Cost of the calls with a known price."""
    unpriced: int = 0
    """Number of calls that used tokens of an unknown price."""

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def failure_share(self) -> float:
        """Share of failed calls, between 0 and 1."""
        return self.failures / self.calls if self.calls else 0.0

    def __add__(self, other: "UsageTotals") -> "UsageTotals":
        return UsageTotals(*(own + others for own, others in zip(astuple(self), astuple(other), strict=True)))


SUM_COLUMNS: tuple[ColumnElement[Any], ...] = (
    func.count().label("calls"),
    func.sum(Call.input_tokens).label("input_tokens"),
    func.sum(Call.output_tokens).label("output_tokens"),
    func.sum(Call.cost_usd).label("cost_usd"),
    func.sum(case((IS_UNPRICED, 1), else_=0)).label("unpriced"),
)
"""Columns in the order of the arguments of `totals_of_group`."""

DELETED_COLUMNS: tuple[SQLColumnExpression[Any], ...] = (
    DailyTotals.calls,
    DailyTotals.input_tokens,
    DailyTotals.output_tokens,
    DailyTotals.cost_usd,
    DailyTotals.unpriced,
)
"""The same columns of deleted calls."""


def totals_of_group(failure: str | None, *sums: int | Decimal | None) -> UsageTotals:
    """Return the totals of a group of calls with the same failure code (None: no failure), from its SUM_COLUMNS."""
    calls, input_tokens, output_tokens, cost_usd, unpriced = (value or 0 for value in sums)
    return UsageTotals(
        calls=int(calls),
        failures=int(calls) if failure else 0,
        input_tokens=int(input_tokens),
        output_tokens=int(output_tokens),
        cost_usd=Decimal(cost_usd),
        unpriced=int(unpriced),
    )


def spent_this_month(session: Session, organization: Organization) -> Decimal:
    """Return the US dollars spent in this calendar month (UTC).

    With a budget this includes the amounts reserved for calls in flight. Without one, nothing is reserved and the
    calls are summed.
    """
    today = now()
    month = session.get(MonthlySpend, (organization.id, f"{today:%Y-%m}"))
    if organization.monthly_budget_usd is not None and month is not None:
        return month.usd
    first = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return session.scalar(cost_since(organization.id, first)) or Decimal(0)
