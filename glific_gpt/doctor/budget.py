"""Is anything left of this month's budget?"""

from decimal import Decimal

from glific_gpt.database import reading
from glific_gpt.doctor.findings import Finding, Verdict
from glific_gpt.errors import N_
from glific_gpt.organizations import store
from glific_gpt.usage.alerts import NEARLY
from glific_gpt.usage.totals import spent

NAME = "budget"
MOST_DIGITS = 10

NONE = N_("No budget is set, so none can be used up.")
LEFT = N_("%(spent)s of this month's budget of %(budget)s US dollars are spent.")
USED = N_("This month's budget is used up: %(spent)s of %(budget)s US dollars are spent, and no call is answered.")
RAISE = N_("Raise the budget, or wait for the next month.")


def look(slug: str) -> Finding:
    with reading() as session:
        row = store.find(session, slug)
        limit, so_far = row.monthly_budget_usd, spent(session, row)
    if limit is None:
        return Finding(NAME, Verdict.OK, NONE)
    shown = told(so_far, limit)
    values = {"spent": shown[0], "budget": shown[1]}
    command = f"flask organizations set {slug} --monthly-budget-usd DOLLARS"
    if so_far >= limit:
        return Finding(NAME, Verdict.PROBLEM, USED, RAISE, values, command=command)
    if so_far >= limit * NEARLY:
        return Finding(NAME, Verdict.WARNING, LEFT, RAISE, values, command=command)
    return Finding(NAME, Verdict.OK, LEFT, values=values)


def told(spent: Decimal, budget: Decimal) -> tuple[str, str]:
    """Both in dollars: to the cent, or with the digits that tell them from nothing and from each other."""
    for digits in range(2, MOST_DIGITS):
        shown = f"{spent:.{digits}f}", f"{budget:.{digits}f}"
        rounded = Decimal(shown[0]), Decimal(shown[1])
        if bool(rounded[0]) == bool(spent) and bool(rounded[1]) == bool(budget) and _alike(rounded, (spent, budget)):
            return shown
    return f"{spent:f}", f"{budget:f}"


def _alike(one: tuple[Decimal, Decimal], other: tuple[Decimal, Decimal]) -> bool:
    """Whether the first is less, equal or more in both."""
    return (one[0] > one[1], one[0] < one[1]) == (other[0] > other[1], other[0] < other[1])
