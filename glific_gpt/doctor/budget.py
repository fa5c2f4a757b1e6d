"""Is anything left of this month's budget?"""

from glific_gpt.database import reading
from glific_gpt.doctor.findings import Finding, Verdict
from glific_gpt.errors import N_
from glific_gpt.organizations import store
from glific_gpt.usage.budget import spent
from glific_gpt.usage.needs import NEARLY

NAME = "budget"

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
    values = {"spent": f"{so_far:.2f}", "budget": f"{limit:.2f}"}
    command = f"flask organizations set {slug} --monthly-budget-usd DOLLARS"
    if so_far >= limit:
        return Finding(NAME, Verdict.PROBLEM, USED, RAISE, values, command=command)
    if so_far >= limit * NEARLY:
        return Finding(NAME, Verdict.WARNING, LEFT, RAISE, values, command=command)
    return Finding(NAME, Verdict.OK, LEFT, values=values)
